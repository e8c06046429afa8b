"""Deleting a video, or one copy of it: at once for everybody here, soon at the host."""

import logging

from django.db import transaction
from django.utils import timezone

from videos import conf
from videos.models import Asset, AssetStatus, PlaybackSession, SessionState, Video
from videos.providers.exceptions import VideoProviderError
from videos.providers.registry import providers
from videos.services.host_calls import ask_host

logger = logging.getLogger(__name__)


def delete_video(video: Video) -> None:
    """Mark every copy as deleted, end what is being watched, and have the copies deleted at their hosts.

    The video's row stays, so that what points to it can say why nothing plays. A host that is down is asked again by
    the poll, until it has answered.
    """
    now = timezone.now()
    with transaction.atomic():
        assets = Asset.objects.filter(video=video).exclude(status=AssetStatus.DELETED)
        ids = list(assets.select_for_update(no_key=True).values_list("pk", flat=True))
        Asset.objects.filter(pk__in=ids).update(status=AssetStatus.DELETED, next_poll_at=now, poll_attempts=0)
        PlaybackSession.objects.live().filter(video=video).update(
            state=SessionState.REVOKED, end_reason="video_deleted", lease_expires_at=None, ended_at=now
        )
        for asset_id in ids:
            conf.enqueue("videos.delete_at_host", asset_id)


def discard_asset(asset: Asset) -> None:
    """Give up one copy that nobody watches: it is neither current nor next, and the host's copy is removed soon."""
    with transaction.atomic():
        Asset.objects.filter(pk=asset.pk).update(
            is_current=False,
            is_next=False,
            status=AssetStatus.DELETED,
            next_poll_at=timezone.now(),
            poll_attempts=0,
        )
        conf.enqueue("videos.delete_at_host", asset.pk)


def forget_copy(alias: str, host_id: str) -> None:
    """Delete what the host holds for a row that was never written; a failure is logged with the host's id."""
    provider = providers[alias]
    if not provider.supports_delete:
        logger.error("Host %s keeps %s, which no video uses: it cannot delete.", alias, host_id)
        return
    try:
        ask_host(lambda: provider.delete(host_id))
    except VideoProviderError as error:
        logger.error("Host %s keeps %s, which no video uses: %s", alias, host_id, error)
