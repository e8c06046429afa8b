"""Deleting a video: at once for everybody here, soon at the host."""

from django.db import transaction
from django.utils import timezone

from videos import conf
from videos.models import Asset, AssetStatus, PlaybackSession, SessionState, Video


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
