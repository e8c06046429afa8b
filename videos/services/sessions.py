"""A session after its grant: heartbeats, its end, and revocation.

Locks are taken in one order: the viewer's row, the session's, the progress.
"""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connections, router, transaction
from django.utils import timezone

from videos import conf, signals, sql
from videos.intervals import Spans, bounded, clipped, has_number, shortened, stepped, total, with_number
from videos.models import PlaybackSession, SessionState
from videos.services import engagement, progress, streams
from videos.services.errors import (
    InvalidSessionToken,
    SessionEnded,
    SessionRevoked,
    TooManyStreams,
)
from videos.services.progress import Standing
from videos.services.reports import MAX_SEQ, Report, read_report
from videos.services.streams import UserKey
from videos.services.tokens import require_end_token, require_session_token

FASTEST = 4
"""More seconds than this many times the age of the session are not believed to have been watched."""
PIECES_MAX = 500
SEQ_RANGES_MAX = 100
ROLLUP_DELAY_S = 60


@dataclass(frozen=True, kw_only=True)
class Heartbeat:
    """What a heartbeat left behind: the lease's end, the position that counts in seconds, and what is seen in all.

    `coverage` is a share from 0 to 1, None while the length of the video is unknown.
    """

    lease_expires_at: datetime | None
    position_s: float
    coverage: float | None
    completed: bool
    ended: bool

    def as_json(self) -> dict[str, Any]:
        return {
            "lease": {"expires_at": self.lease_expires_at},
            "position": self.position_s,
            "coverage": None if self.coverage is None else round(self.coverage, 4),
            "completed": self.completed,
            "ended": self.ended,
        }


def heartbeat(
    *,
    public_id: UUID,
    token: str,
    seq: int,
    position_s: float,
    played: Any = None,
    qoe: Any = None,
    events: Any = (),
) -> Heartbeat:
    """Take a player's report and renew its lease for 45 s; a session without one claims it first.

    `played` are pairs of seconds that were played since the last report, `qoe` counters since the session began. A
    `seq` counts once; one that comes late adds what was played and moves nothing else. A session that has ended (not
    one that was revoked) still takes what was played before, from a player that tells `played`, and says `ended`.
    Raises InvalidSessionToken, InvalidRequest, SessionEnded, SessionRevoked or TooManyStreams.
    """
    require_session_token(token, public_id)
    report = read_report(seq=seq, position_s=position_s, played=played, qoe=qoe, events=events)
    now = timezone.now()
    with transaction.atomic():
        session = _session_that_may_report(public_id, report)
        if not _needs_lease(session, report, now):
            return _record(session, report, now)
    return _claim_and_record(session, report, now)


def end_session(
    *,
    public_id: UUID,
    token: str,
    seq: int | None = None,
    position_s: float | None = None,
    played: Any = None,
    qoe: Any = None,
    events: Any = (),
) -> None:
    """End a session by its own token or an end token; ending it twice is the same as once.

    With `position_s` or `played` the player reports for the last time, as in a heartbeat; without `seq` that is its
    latest word. What comes with a mere end token is not believed. Raises InvalidSessionToken or InvalidRequest.
    """
    is_own = require_end_token(token, public_id)
    now = timezone.now()
    with transaction.atomic():
        session = PlaybackSession.objects.to_beat(public_id)
        if session is None:
            return
        if is_own and (position_s is not None or played is not None) and _may_report(session):
            seq = min(session.last_seq + 1, MAX_SEQ) if seq is None else seq
            _record(
                session,
                read_report(seq=seq, position_s=position_s or 0, played=played, qoe=qoe, events=events),
                now,
            )
        _end(session, "viewer", now)


def end_own_session(*, user_id: UserKey, public_id: UUID) -> None:
    """End a session of this user; raises InvalidSessionToken when it is somebody else's, or nobody's."""
    session = PlaybackSession.objects.filter(public_id=public_id, viewer__user_id=user_id).first()
    if session is None:
        raise InvalidSessionToken()
    _end(session, "viewer", timezone.now())


def revoke(*, user_id: UserKey, video_ids: Collection[UUID] | None, reason: str) -> int:
    """End every session of a user, or those of some videos, inside the caller's transaction; gives how many.

    Takes the viewer's lock, so a grant that is being made either sees the right gone or is ended here.
    """
    with transaction.atomic():
        viewer = streams.lock_viewer(user_id=user_id)
        sessions = viewer.sessions.live()
        if video_ids is not None:
            sessions = sessions.filter(video_id__in=video_ids)
        return sessions.update(
            state=SessionState.REVOKED, end_reason=reason[:64], lease_expires_at=None, ended_at=timezone.now()
        )


def _end(session: PlaybackSession, reason: str, now: datetime) -> None:
    PlaybackSession.objects.live().filter(pk=session.pk).update(
        state=SessionState.ENDED, end_reason=reason, ended_at=now
    )


def _session_that_may_report(public_id: UUID, report: Report) -> PlaybackSession:
    session = PlaybackSession.objects.to_beat(public_id)
    if session is not None and session.state == SessionState.REVOKED:
        raise SessionRevoked()
    if session is None or not _may_report(session):
        raise SessionEnded()
    if session.state == SessionState.ENDED and report.played is None:
        raise SessionEnded()
    return session


def _may_report(session: PlaybackSession) -> bool:
    return session.state in (SessionState.ISSUED, SessionState.ENDED)


def _needs_lease(session: PlaybackSession, report: Report, now: datetime) -> bool:
    if session.state != SessionState.ISSUED or report.seq <= session.last_seq:
        return False
    return session.lease_expires_at is None or session.lease_expires_at <= now


def _claim_and_record(session: PlaybackSession, report: Report, now: datetime) -> Heartbeat:
    """As `_record`, under the viewer's lock; what a session that once held a stream has played counts in any case."""
    refused: TooManyStreams | None = None
    with transaction.atomic():
        viewer = streams.lock_viewer_of(session) if session.is_counted else None
        session = _session_that_may_report(session.public_id, report)
        if viewer is not None and _needs_lease(session, report, now):
            try:
                streams.make_room(
                    viewer,
                    device_id=session.device_id,
                    video_id=session.video_id,
                    limit=session.max_streams,
                    now=now,
                    is_claim=True,
                    keep=session,
                )
            except TooManyStreams as error:
                if session.lease_expires_at is None:
                    raise
                refused = error
        beat = _record(session, report, now, is_refused=refused is not None)
    if refused is not None:
        raise refused
    return beat


def _record(session: PlaybackSession, report: Report, now: datetime, *, is_refused: bool = False) -> Heartbeat:
    """Take a report of a locked session, once however often it comes."""
    standing = progress.standing_of(session)
    is_latest = session.state == SessionState.ISSUED and report.seq > session.last_seq
    spans = _believed(session, report, now)
    if has_number(session.seen_seqs, report.seq) or not (is_latest or spans or report.events):
        return _answer(session, standing)
    has_moved = is_latest and 0 < report.position_s != session.position_s
    if spans or has_moved or (report.events and standing.pk is None):
        moved_to = report.position_s if has_moved else 0
        standing = _advance(session, standing, spans=spans, moved_to=moved_to, now=now)
    if report.events and standing.pk is not None:
        engagement.record_events(session, report, progress_id=standing.pk, now=now)
    if session.played_at is None and (spans or has_moved):
        _start(session, now)
    _add_played(session, report, spans)
    if is_latest:
        _take_latest(session, report, None if is_refused else now + timedelta(seconds=conf.LEASE_S))
    session.progress_id = standing.pk
    is_countable = session.is_counted and bool(spans or has_moved or report.quality or report.events)
    _write(session, rollup_due_at=now + timedelta(seconds=ROLLUP_DELAY_S) if is_countable else None)
    return _answer(session, standing)


def _advance(session: PlaybackSession, standing: Standing, *, spans: Spans, moved_to: float, now: datetime) -> Standing:
    advanced, is_newly_complete = progress.advance(session, standing, spans=spans, position_s=moved_to, now=now)
    if is_newly_complete and session.is_counted:
        signals.send_on_commit(signals.video_completed, PlaybackSession, session=session)
    return advanced


def _start(session: PlaybackSession, now: datetime) -> None:
    session.played_at = now
    if session.is_counted:
        signals.send_on_commit(signals.playback_started, PlaybackSession, session=session)


def _take_latest(session: PlaybackSession, report: Report, lease_expires_at: datetime | None) -> None:
    session.last_seq = report.seq
    session.lease_expires_at = lease_expires_at or session.lease_expires_at
    session.position_s = report.position_s or session.position_s
    for name, value in report.quality.items():
        setattr(session, name, value)


def _believed(session: PlaybackSession, report: Report, now: datetime) -> Spans:
    """What of `played` lies in the video, and within the time that can have passed until the session ended."""
    if not report.played:
        return []
    length_ms = progress.copy_length_ms(session)
    spans = clipped(report.played, length_ms) if length_ms else [list(span) for span in report.played]
    age_ms = ((session.ended_at or now) - session.created_at) // timedelta(milliseconds=1)
    return shortened(spans, max(0, FASTEST * age_ms - session.watched_ms))


def _add_played(session: PlaybackSession, report: Report, spans: Sequence[Sequence[int]]) -> None:
    session.seen_seqs = with_number(session.seen_seqs, report.seq, most=SEQ_RANGES_MAX)
    if spans:
        session.played = bounded(stepped(session.played, spans), PIECES_MAX)
        session.watched_ms += total(spans)
        session.covered_ms = total(session.played)


def _write(session: PlaybackSession, *, rollup_due_at: datetime | None) -> None:
    connection = connections[router.db_for_write(PlaybackSession)]
    moment = connection.ops.adapt_datetimefield_value
    with connection.cursor() as cursor:
        cursor.execute(
            sql.BEATEN_SESSION,
            [
                session.progress_id,
                session.last_seq,
                moment(session.lease_expires_at),
                moment(session.played_at),
                session.position_s,
                json.dumps(session.played, separators=(",", ":")),
                json.dumps(session.seen_seqs, separators=(",", ":")),
                session.watched_ms,
                session.covered_ms,
                session.startup_ms,
                session.stall_count,
                session.stall_ms,
                session.bitrate_kbps,
                session.error_count,
                moment(rollup_due_at),
                session.pk,
            ],
        )


def _answer(session: PlaybackSession, standing: Standing) -> Heartbeat:
    return Heartbeat(
        lease_expires_at=session.lease_expires_at,
        position_s=session.position_s,
        coverage=standing.coverage,
        completed=standing.is_completed,
        ended=session.state == SessionState.ENDED,
    )
