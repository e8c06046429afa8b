"""Entry points of background work. With Celery installed they are its tasks, without it plain functions."""

from typing import Any

from videos.services import addresses_kept, assets, captions, monitoring, pruning, reaping, rollup, unusual

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


@shared_task(name="videos.refresh_due_asset")
def refresh_due_asset(asset_id: int) -> None:
    assets.refresh_due_asset(asset_id)


@shared_task(name="videos.push_caption")
def push_caption(push_id: int) -> None:
    captions.push_caption(push_id)


@shared_task(name="videos.push_captions")
def push_captions() -> int:
    return captions.push_due()


@shared_task(name="videos.reap_uploads")
def reap_uploads() -> int:
    return reaping.reap_uploads()


@shared_task(name="videos.roll_up")
def roll_up() -> int:
    return rollup.roll_up()


@shared_task(name="videos.find_unusual_use")
def find_unusual_use() -> int:
    return len(unusual.find_unusual_use())


@shared_task(name="videos.prune")
def prune() -> None:
    pruning.prune()


@shared_task(name="videos.monitor")
def monitor() -> int:
    return len(monitoring.ask_about_stuck())


@shared_task(name="videos.measure_usage")
def measure_usage() -> None:
    monitoring.measure_usage()


@shared_task(name="videos.report_unused")
def report_unused() -> int:
    return monitoring.report_unused()


@shared_task(name="videos.forget_addresses")
def forget_addresses() -> int:
    return addresses_kept.forget_addresses()
