"""Uploads that never came: their tickets are dead, so what waits for them is cleared away."""

import logging
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from videos import conf
from videos.models import Asset, AssetStatus, Video
from videos.providers import failures
from videos.providers.exceptions import AssetNotFound, ProviderMisconfigured, UnknownProvider, VideoProviderError
from videos.providers.registry import providers
from videos.providers.types import Status
from videos.services.assets import ANNOUNCE_AGAIN, announce
from videos.services.host_calls import ask_host
from videos.services.removal import discard_asset

logger = logging.getLogger(__name__)

REAP_BATCH = 100


def overdue_uploads() -> list[Asset]:
    """Copies whose ticket ended longer ago than VIDEO_UPLOAD_GRACE_S without a file.

    The oldest hundred of each host, so that one that does not answer holds up no other.
    """
    before = timezone.now() - timedelta(seconds=conf.upload_grace_s())
    overdue = Asset.objects.never_uploaded(before).select_related("video").order_by("upload_expires_at", "pk")
    aliases = overdue.order_by("provider").values_list("provider", flat=True).distinct()
    return [asset for alias in aliases for asset in overdue.filter(provider=alias)[:REAP_BATCH]]


def reap_uploads() -> int:
    """Give up every overdue upload that its host still has no file for; gives how many.

    A host that does not answer is asked again by the next run.
    """
    return sum(_reap(asset) for asset in overdue_uploads())


def give_up(asset: Asset) -> bool:
    """Let a copy that got no file go: a replacement is dropped, a current copy fails with `never_uploaded`.

    Gives False when a file did come meanwhile. What the host keeps is deleted there in the background.
    """
    with transaction.atomic():
        Video.objects.select_for_update(no_key=True).get(pk=asset.video_id)
        locked = Asset.objects.select_for_update(no_key=True).get(pk=asset.pk)
        if locked.status != AssetStatus.WAITING:
            return False
        if not locked.is_current:
            discard_asset(locked)
            return True
        locked.status = AssetStatus.FAILED
        locked.failure_code = failures.NEVER_UPLOADED
        locked.failure_reason = failures.reason_of(failures.NEVER_UPLOADED)
        # Due until the listeners were told; `announce` takes it off again.
        locked.next_poll_at = timezone.now() + ANNOUNCE_AGAIN
        locked.save(update_fields=["status", "failure_code", "failure_reason", "next_poll_at"])
        transaction.on_commit(lambda: announce(locked.pk), robust=True)
    return True


def has_file(asset: Asset) -> bool:
    """Whether the host has the file of this copy; raises VideoProviderError when it cannot be asked."""
    provider = providers[asset.provider]
    try:
        return ask_host(lambda: provider.get_asset(asset.host_id)).status is not Status.WAITING
    except AssetNotFound:
        return False


def _reap(asset: Asset) -> bool:
    try:
        is_there = has_file(asset)
        if not is_there:
            _delete_at_host(asset)
    except (VideoProviderError, UnknownProvider, ProviderMisconfigured) as error:
        logger.warning("Whether asset %s got its file could not be found out: %s", asset.pk, error)
        return False
    if is_there:
        conf.enqueue("videos.refresh_asset", asset.pk)
        return False
    return give_up(asset)


def _delete_at_host(asset: Asset) -> None:
    provider = providers[asset.provider]
    if provider.supports_delete:
        ask_host(lambda: provider.delete(asset.host_id))
