"""A session after its grant: heartbeats, its end, and revocation."""

import math
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from videos import conf, signals
from videos.models import PlaybackSession, SessionState
from videos.services import streams
from videos.services.errors import InvalidRequest, SessionEnded, SessionRevoked
from videos.services.tokens import require_end_token, require_session_token

MAX_POSITION_S = 7 * 24 * 3600
MAX_SEQ = 2**53


@dataclass(frozen=True, kw_only=True)
class Heartbeat:
    """What a heartbeat left behind: the lease's end and the position that counts, in seconds."""

    lease_expires_at: datetime | None
    position_s: float

    def as_json(self) -> dict[str, Any]:
        return {"lease": {"expires_at": self.lease_expires_at}, "position": self.position_s, "ended": False}


def heartbeat(*, public_id: UUID, token: str, seq: int, position_s: float) -> Heartbeat:
    """Take a player's report and renew its lease for 45 s; a session without one claims it first.

    A report older than one already seen (`seq`) changes nothing; a position of 0 overwrites no real one.
    Raises InvalidSessionToken, InvalidRequest, SessionEnded, SessionRevoked or TooManyStreams.
    """
    require_session_token(token, public_id)
    _require_sane(seq, position_s)
    session = _running_session(public_id)
    if seq <= session.last_seq:
        return Heartbeat(lease_expires_at=session.lease_expires_at, position_s=session.position_s)
    now = timezone.now()
    if session.lease_expires_at is None or session.lease_expires_at <= now:
        _claim(session, now)
    return _record(session, seq, position_s, now)


def end_session(*, public_id: UUID, token: str, seq: int | None = None, position_s: float | None = None) -> None:
    """End a session by its own token or an end token; ending it twice is the same as once.

    With `position_s` the player says where it was left, as in a heartbeat; without `seq` that is its latest word.
    What comes with a mere end token is not believed. Raises InvalidSessionToken or InvalidRequest.
    """
    is_own = require_end_token(token, public_id)
    if position_s is not None and is_own:
        with suppress(SessionEnded, SessionRevoked):
            session = _running_session(public_id)
            seq = min(session.last_seq + 1, MAX_SEQ) if seq is None else seq
            _require_sane(seq, position_s)
            _record(session, seq, position_s, timezone.now())
    PlaybackSession.objects.live().filter(public_id=public_id).update(
        state=SessionState.ENDED, end_reason="viewer", ended_at=timezone.now()
    )


def revoke(*, user_id: int, video_ids: Collection[UUID] | None, reason: str) -> int:
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


def _require_sane(seq: int, position_s: float) -> None:
    if not 0 <= seq <= MAX_SEQ:
        raise InvalidRequest("invalid_seq", attr="seq", detail="A whole number from 0.")
    if not (math.isfinite(position_s) and 0 <= position_s <= MAX_POSITION_S):
        raise InvalidRequest("invalid_position", attr="position", detail="Seconds from the start of the video.")


def _running_session(public_id: UUID) -> PlaybackSession:
    session = PlaybackSession.objects.to_beat(public_id)
    if session is not None and session.state == SessionState.REVOKED:
        raise SessionRevoked()
    if session is None or session.state != SessionState.ISSUED:
        raise SessionEnded()
    return session


def _claim(session: PlaybackSession, now: datetime) -> None:
    lease = now + timedelta(seconds=conf.LEASE_S)
    with transaction.atomic():
        if session.is_counted:
            viewer = streams.lock_viewer_of(session)
            streams.make_room(
                viewer,
                device_id=session.device_id,
                video_id=session.video_id,
                limit=session.max_streams,
                now=now,
                is_claim=True,
                keep=session,
            )
        PlaybackSession.objects.filter(pk=session.pk, state=SessionState.ISSUED).update(lease_expires_at=lease)


def _record(session: PlaybackSession, seq: int, position_s: float, now: datetime) -> Heartbeat:
    lease = now + timedelta(seconds=conf.LEASE_S)
    changes: dict[str, Any] = {"last_seq": seq, "lease_expires_at": lease}
    if position_s > 0:
        changes["position_s"] = position_s
    changed = PlaybackSession.objects.filter(pk=session.pk, state=SessionState.ISSUED, last_seq__lt=seq).update(
        **changes
    )
    if not changed:
        session = _running_session(session.public_id)
        return Heartbeat(lease_expires_at=session.lease_expires_at, position_s=session.position_s)
    if session.played_at is None and 0 < position_s != session.position_s:
        _note_started(session, now)
    return Heartbeat(lease_expires_at=lease, position_s=changes.get("position_s", session.position_s))


def _note_started(session: PlaybackSession, now: datetime) -> None:
    is_first = PlaybackSession.objects.filter(pk=session.pk, played_at=None).update(played_at=now)
    if is_first and session.is_counted:
        session.played_at = now
        signals.send_on_commit(signals.playback_started, PlaybackSession, session=session)
