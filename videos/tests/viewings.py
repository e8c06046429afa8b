"""Viewings for tests of figures: rows as heartbeats leave them."""

import itertools
from datetime import timedelta

from django.utils import timezone

from videos.models import EngagementEvent, PlaybackSession, SessionDoor, SessionState, VideoProgress, Viewer
from videos.tests.factories import make_video

_number = itertools.count(1)


def make_viewer(**overrides) -> Viewer:
    return Viewer.objects.create(**({"device_key": f"device-{next(_number)}"} | overrides))


def make_viewing(
    *, video=None, viewer=None, played=((0, 30_000, 1),), completed_at=None, **overrides
) -> PlaybackSession:
    """A session in which `played`, `[from, to, times]` in ms, was watched, with its progress; due to be rolled up."""
    video, viewer = video or make_video(), viewer or make_viewer()
    created_at = overrides.get("created_at", timezone.now())
    progress = None
    if played:
        values = {"first_played_at": created_at, "duration_ms": 60_000}
        progress, _ = VideoProgress.objects.get_or_create(viewer=viewer, video=video, defaults=values)
        if completed_at is not None:
            VideoProgress.objects.filter(pk=progress.pk).update(completed_at=completed_at)
    asset = video.get_current_asset()
    values = {
        "device_id": "device",
        "door": SessionDoor.PLAYBACK,
        "state": SessionState.ENDED,
        "created_at": created_at,
        "expires_at": created_at + timedelta(minutes=5),
        "played_at": created_at if played else None,
        "asset": asset,
        "progress": progress,
        "rollup_due_at": timezone.now() - timedelta(seconds=1),
    } | overrides
    return PlaybackSession.objects.create(viewer=viewer, video=video, **values | watched(played))


def watched(played) -> dict:
    """The columns that say what was played; stretches do not overlap."""
    return {
        "played": [list(stretch) for stretch in played],
        "watched_ms": sum((end - start) * times for start, end, times in played),
        "covered_ms": sum(end - start for start, end, _ in played),
    }


def beat(session, played, **columns) -> None:
    """A later heartbeat: `played` is all that the session has played by now."""
    due = {"rollup_due_at": timezone.now() - timedelta(seconds=1)}
    PlaybackSession.objects.filter(pk=session.pk).update(**watched(played), **columns, **due)


def react(session, kind, *, seq=1, number=0) -> None:
    EngagementEvent.objects.create(session=session, seq=seq, number=number, kind=kind)
    if kind in ("like", "unlike"):
        liked_at = timezone.now() if kind == "like" else None
        VideoProgress.objects.filter(pk=session.progress_id).update(liked_at=liked_at)
    PlaybackSession.objects.filter(pk=session.pk).update(rollup_due_at=timezone.now() - timedelta(seconds=1))
