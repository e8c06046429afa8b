"""What viewers do beside watching: clicks, likes, shares."""

from datetime import datetime

from django.db.models.functions import Coalesce

from videos.models import EngagementEvent, EngagementKind, PlaybackSession, VideoProgress
from videos.services.reports import Event, Report

SESSION_EVENTS_MAX = 500
_LIKES = (EngagementKind.LIKE, EngagementKind.UNLIKE)


def record_events(session: PlaybackSession, report: Report, *, progress_id: int, now: datetime) -> None:
    """Keep the events of a report, once however often it is sent; needs the session's lock.

    A session keeps 500 events at most. The last like or unlike of the session decides what its viewer thinks.
    """
    room = SESSION_EVENTS_MAX - EngagementEvent.objects.filter(session=session).count()
    events = [
        _row(session, report.seq, number, event, now) for number, event in enumerate(report.events[: max(room, 0)])
    ]
    EngagementEvent.objects.bulk_create(events, ignore_conflicts=True)
    if any(event.kind in _LIKES for event in events):
        _settle_like(session, progress_id, now)


def _settle_like(session: PlaybackSession, progress_id: int, now: datetime) -> None:
    said = EngagementEvent.objects.filter(session=session, kind__in=_LIKES).order_by("-seq", "-number").first()
    likes_it = said is not None and said.kind == EngagementKind.LIKE
    VideoProgress.objects.filter(pk=progress_id).update(liked_at=Coalesce("liked_at", now) if likes_it else None)


def _row(session: PlaybackSession, seq: int, number: int, event: Event, now: datetime) -> EngagementEvent:
    return EngagementEvent(
        session=session,
        seq=seq,
        number=number,
        kind=event.kind,
        position_s=event.position_s,
        target=event.target,
        created_at=now,
    )
