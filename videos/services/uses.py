"""What a player does in a session beside its heartbeats: it loads playlists, media files and licences.

Each such use needs a session that may still play, and the first one claims its stream, as a heartbeat would.
"""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from videos import conf
from videos.models import PlaybackSession, SessionState
from videos.services import streams
from videos.services.errors import SessionEnded, SessionRevoked
from videos.services.tokens import MAX_AGE_S

LONGEST = timedelta(seconds=MAX_AGE_S)
RENEW_BELOW = timedelta(seconds=conf.LEASE_S / 3)
"""A lease that ends sooner than this is renewed by use, so that players that tell nothing hold their stream too."""


def use_session(public_id: UUID) -> PlaybackSession:
    """The session when it may still play; its stream is claimed or kept.

    None plays for longer than its own token is good, whatever else was signed for it since. One statement usually.
    Raises SessionEnded, SessionRevoked or TooManyStreams.
    """
    now = timezone.now()
    session = _playing(public_id, now)
    if session.lease_expires_at is None or session.lease_expires_at <= now:
        _claim(session, now)
    elif session.lease_expires_at < now + RENEW_BELOW:
        _lease(session, now)
    return session


def _playing(public_id: UUID, now: datetime) -> PlaybackSession:
    session = PlaybackSession.objects.to_use(public_id)
    if session is not None and session.state == SessionState.REVOKED:
        raise SessionRevoked()
    if session is None or session.state not in (SessionState.ISSUING, SessionState.ISSUED):
        raise SessionEnded()
    if session.created_at + LONGEST <= now:
        raise SessionEnded()
    return session


def _claim(session: PlaybackSession, now: datetime) -> None:
    with transaction.atomic():
        viewer = streams.lock_viewer_of(session)
        _lease(session, now)
        if session.is_counted:
            streams.make_room(
                viewer,
                device_id=session.device_id,
                video_id=session.video_id,
                limit=session.max_streams,
                now=now,
                is_claim=True,
                keep=session,
            )


def _lease(session: PlaybackSession, now: datetime) -> None:
    until = now + timedelta(seconds=conf.LEASE_S)
    if not PlaybackSession.objects.live().filter(pk=session.pk).update(lease_expires_at=until):
        _playing(session.public_id, now)
        raise SessionEnded()
    session.lease_expires_at = until
