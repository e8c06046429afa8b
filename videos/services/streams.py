"""Concurrent streams: who holds a lease, and making room for one more, under the lock of the viewer's row."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet, prefetch_related_objects

from videos.conf import LEASE_S, SESSION_TTL_S, UNCLAIMED_MAX
from videos.models import PlaybackSession, SessionState, Viewer
from videos.services.errors import OtherSession, TooManyStreams
from videos.services.tokens import end_token

STALE_MAX = 20
UNCLAIMED_LIFE = timedelta(seconds=SESSION_TTL_S)
"""By their age: a credential that cannot be renewed lives for hours, and reading a lesson must not block that long."""
UserKey = Any
"""The key of a user, of whatever type the host project's model has."""


def lock_viewer(*, user_id: UserKey | None, device_key: str = "", resume_of: UUID | None = None) -> Viewer:
    """The locked row of a user, or of an anonymous device; made when there is none. Needs a transaction.

    With `resume_of`, a video's id, the row carries `resume_position_s` and `resume_duration_ms`, as in `Viewer.lock`.
    Making the row waits for another transaction that makes the same one, so a lock is always had.
    """
    key = {"user_id": user_id} if user_id is not None else {"device_key": device_key}
    while (viewer := Viewer.objects.lock(user_id=user_id, device_key=device_key, resume_of=resume_of)) is None:
        Viewer.objects.get_or_create(**key)
    return viewer


def lock_viewer_of(session: PlaybackSession) -> Viewer:
    """The locked row of the viewer of this session. Needs a transaction."""
    return Viewer.objects.select_for_update(no_key=True).get(pk=session.viewer_id)


def running_sessions(*, user_id: UserKey, now: datetime) -> QuerySet[PlaybackSession]:
    """A user's sessions that hold a stream, or were granted and may still be used; newest first, with their video."""
    sessions = PlaybackSession.objects.live().filter(viewer__user_id=user_id)
    unclaimed = Q(lease_expires_at=None, created_at__gt=now - UNCLAIMED_LIFE)
    leased = Q(lease_expires_at__gt=now)
    return sessions.filter(leased | unclaimed).select_related("video").order_by("-id")


def last_seen_at(session: PlaybackSession) -> datetime:
    """When the session's player was last heard of."""
    if session.lease_expires_at is None:
        return session.created_at
    return max(session.lease_expires_at - timedelta(seconds=LEASE_S), session.created_at)


def take_over(viewer: Viewer, *, public_id: UUID, now: datetime) -> None:
    """End this session of the viewer, so that another can start; nothing when it is not running. Under its lock."""
    PlaybackSession.objects.live().filter(viewer=viewer, public_id=public_id).update(
        state=SessionState.ENDED, end_reason="taken_over", ended_at=now
    )


def make_room(
    viewer: Viewer,
    *,
    device_id: str,
    video_id: UUID,
    limit: int,
    now: datetime,
    is_claim: bool,
    keep: PlaybackSession | None = None,
) -> None:
    """Let one more viewing of this device in, ending those it replaces; raises TooManyStreams.

    A claim takes the device's one lease from its former session. A mere grant (`is_claim` False) takes nothing, needs
    a free stream all the same, and counts among the few grants that nobody has used yet.
    """
    live = [session for session in PlaybackSession.objects.live_of(viewer) if keep is None or session.pk != keep.pk]
    elsewhere = [session for session in live if _is_leased(session, now) and session.device_id != device_id]
    replaced = [session for session in live if _is_replaced(session, device_id, video_id, is_claim=is_claim)]
    unclaimed = [session for session in live if _is_unclaimed(session, now) and session not in replaced]
    if len({session.device_id for session in elsewhere}) >= limit:
        raise TooManyStreams(_described(elsewhere))
    if not is_claim and len(unclaimed) >= UNCLAIMED_MAX:
        raise TooManyStreams(_described(elsewhere + unclaimed))
    _end(replaced, "superseded", now)
    running = [session for session in live if _is_leased(session, now) or _is_unclaimed(session, now)]
    stale = [session for session in live if session not in running and session not in replaced]
    if len(stale) >= STALE_MAX:
        _end(stale, "expired", now)


def _is_leased(session: PlaybackSession, now: datetime) -> bool:
    return session.lease_expires_at is not None and session.lease_expires_at > now


def _is_unclaimed(session: PlaybackSession, now: datetime) -> bool:
    return session.lease_expires_at is None and session.created_at > now - UNCLAIMED_LIFE


def _is_replaced(session: PlaybackSession, device_id: str, video_id: UUID, *, is_claim: bool) -> bool:
    if session.device_id != device_id:
        return False
    if session.lease_expires_at is None:
        return session.video_id == video_id
    return is_claim


def _end(sessions: list[PlaybackSession], reason: str, now: datetime) -> None:
    if sessions:
        PlaybackSession.objects.live().filter(pk__in=[session.pk for session in sessions]).update(
            state=SessionState.ENDED, end_reason=reason, ended_at=now
        )


def _described(sessions: list[PlaybackSession]) -> list[OtherSession]:
    prefetch_related_objects(sessions, "video")
    return [_describe(session) for session in sessions]


def _describe(session: PlaybackSession) -> OtherSession:
    return OtherSession(
        id=session.public_id,
        video_id=session.video_id,
        video_title=session.video.title,
        started_at=session.created_at,
        user_agent=session.user_agent,
        end_token=end_token(session.public_id),
    )
