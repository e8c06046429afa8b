"""Entry points of background work. With Celery installed they are its tasks, without it plain functions."""

from typing import Any

from videos.services import assets

try:
    from celery import shared_task
except ImportError:

    def shared_task(**options: Any) -> Any:
        return lambda function: function


@shared_task(name="videos.refresh_asset")
def refresh_asset(asset_id: int) -> None:
    assets.refresh_asset(asset_id)


@shared_task(name="videos.poll_assets")
def poll_assets() -> int:
    return assets.poll_assets()


@shared_task(name="videos.delete_at_host")
def delete_at_host(asset_id: int) -> None:
    assets.refresh_asset(asset_id)
