"""New content keys for packages that are played: packaged again under another key, and what is due for that."""

import logging
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from django.db.models import Count, Min, Q, QuerySet
from django.db.models.functions import Coalesce

from videos.hosted.models import ContentKey, HostedVideo, TranscodeKind
from videos.hosted.services.content_keys import keys
from videos.hosted.services.transcoding import transcodes
from videos.models import Asset
from videos.services.errors import SourceGone, TranscodeRunning

logger = logging.getLogger(__name__)

DUE_AFTER = timedelta(days=90)


class Rotation(StrEnum):
    """What came of asking for another key."""

    STARTED = "started"
    RUNNING = "another job of this video is running"
    GONE = "nothing of this video plays"


def encrypted_videos(
    *, video_ids: Collection[UUID] | None = None, key_before: datetime | None = None
) -> QuerySet[HostedVideo]:
    """The copies that play encrypted, with package and key, oldest key first.

    Those of the videos `video_ids` of `videos`, those whose key was made before `key_before`, or all.
    """
    videos = HostedVideo.objects.filter(deleted_at=None, package__key__isnull=False).select_related("package__key")
    if video_ids is not None:
        copies = Asset.objects.filter(video_id__in=video_ids).values_list("provider", "host_id")
        named = Q(pk__in=[])
        for alias, host_id in copies:
            named |= Q(alias=alias, public_id=_uuid(host_id))
        videos = videos.filter(named)
    if key_before is not None:
        videos = videos.filter(package__key__created_at__lt=key_before)
    return videos.order_by("package__key__created_at", "pk")


def rotate(*, video: HostedVideo, revokes: bool = False) -> Rotation:
    """Have a copy packaged again under a new key, in the background.

    The former key is destroyed with its package, once nobody can be playing that any more; with `revokes` no licence is
    given for it from now on, so that nothing plays until the new package is there.
    """
    former = video.package.key if video.package else None
    if revokes and former is not None:
        keys.revoke(key=former, reason="rotation")
    try:
        transcodes.start(video=video, kind=TranscodeKind.REPACKAGE)
    except TranscodeRunning:
        return Rotation.RUNNING
    except SourceGone:
        return Rotation.GONE
    return Rotation.STARTED


@dataclass(frozen=True, kw_only=True)
class DueRotation:
    """Something that is in use for more than 90 days: `count` content keys, `since` the oldest, and what to do."""

    what: str
    count: int
    since: datetime
    advice: str


def due_rotations(now: datetime) -> list[DueRotation]:
    """Content keys and key-encryption keys that should be changed; two statements.

    How old a key-encryption key is, is told by the first content key it wrapped.
    """
    before = now - DUE_AFTER
    due = []
    old = encrypted_videos(key_before=before).aggregate(count=Count("pk"), since=Min("package__key__created_at"))
    if old["count"]:
        due.append(DueRotation(what="content keys", advice="rotate_video_keys --older-than 90", **old))
    wrapped_at = Coalesce("rewrapped_at", "created_at")
    wrappers = ContentKey.objects.exclude(wrapped="").order_by().values("wrapped_by")
    for row in wrappers.annotate(count=Count("pk"), since=Min(wrapped_at)).filter(since__lt=before):
        what = f"key-encryption key {row['wrapped_by']}"
        advice = "put a new one in front of it, then rewrap_content_keys"
        due.append(DueRotation(what=what, count=row["count"], since=row["since"], advice=advice))
    return due


def _uuid(host_id: str) -> UUID | None:
    """None for an id of another host."""
    try:
        return UUID(hex=host_id)
    except ValueError:
        return None
