"""Deleting a video, or one copy of it: at once for everybody here, soon at the host."""

import logging
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from videos import conf
from videos.models import Asset, AssetStatus, PlaybackSession, SessionState, Video, Viewer
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
        _lock_viewers(video)
        # A replacement that is begun at this moment is either deleted too, or finds the video deleted.
        Video.objects.select_for_update(no_key=True).get(pk=video.pk)
        assets = Asset.objects.filter(video=video).exclude(status=AssetStatus.DELETED, failure_code="")
        ids = list(assets.select_for_update(no_key=True).values_list("pk", flat=True))
        Asset.objects.filter(pk__in=ids).update(**_to_be_deleted(now))
        PlaybackSession.objects.live().filter(video=video).update(
            state=SessionState.REVOKED, end_reason="video_deleted", lease_expires_at=None, ended_at=now
        )
        for asset_id in ids:
            conf.enqueue("videos.delete_at_host", asset_id)


def _lock_viewers(video: Video) -> None:
    """Lock whoever watches, in one order: sessions of several viewers are only ended under their viewers' locks."""
    watching = PlaybackSession.objects.live().filter(video=video).values("viewer")
    list(Viewer.objects.filter(pk__in=watching).order_by("pk").select_for_update(no_key=True).values_list("pk"))


def discard_asset(asset: Asset) -> None:
    """Give up one copy that nobody watches: it is neither current nor next, and the host's copy is removed soon."""
    with transaction.atomic():
        Asset.objects.filter(pk=asset.pk).update(is_current=False, is_next=False, **_to_be_deleted(timezone.now()))
        conf.enqueue("videos.delete_at_host", asset.pk)


def forget_copy(alias: str, host_id: str) -> None:
    """Delete what the host holds for a row that was never written; a failure is logged with the host's id.

    What a row names all the same stays: a host may give one id twice, and a commit may be lost on its way back alone.
    """
    if Asset.objects.filter(provider=alias, host_id=host_id).exists():
        return
    provider = providers[alias]
    if not provider.supports_delete:
        logger.error("Host %s keeps %s, which no video uses: it cannot delete.", alias, host_id)
        return
    try:
        ask_host(lambda: provider.delete(host_id))
    except VideoProviderError as error:
        logger.error("Host %s keeps %s, which no video uses: %s", alias, host_id, error)


def _to_be_deleted(now: datetime) -> dict[str, Any]:
    """What marks a copy as deleted by us; one with `unknown_to_host` was lost by its host instead."""
    return {
        "status": AssetStatus.DELETED,
        "failure_code": "",
        "failure_reason": "",
        "next_poll_at": now,
        "poll_attempts": 0,
    }
