"""Signed tokens: a session's own, which authorises its heartbeats, and a narrower one that can only end it."""

from uuid import UUID

from django.core import signing

from videos.services.errors import InvalidSessionToken

MAX_AGE_S = 24 * 3600
_PLAY_SALT = "videos.session"
_END_SALT = "videos.session.end"


def session_token(public_id: UUID) -> str:
    """What the player of this session sends with every heartbeat; good for a day."""
    return signing.dumps(public_id.hex, salt=_PLAY_SALT)


def end_token(public_id: UUID) -> str:
    """What ends this session and does nothing else: for the viewer's other devices."""
    return signing.dumps(public_id.hex, salt=_END_SALT)


def require_session_token(token: str, public_id: UUID) -> None:
    """Raise InvalidSessionToken unless `token` is this session's own."""
    if not _names(token, public_id, _PLAY_SALT):
        raise InvalidSessionToken()


def require_end_token(token: str, public_id: UUID) -> bool:
    """Whether `token` is this session's own; raise InvalidSessionToken unless it is that or one made to end it."""
    is_own = _names(token, public_id, _PLAY_SALT)
    if not (is_own or _names(token, public_id, _END_SALT)):
        raise InvalidSessionToken()
    return is_own


def session_of(token: str) -> UUID:
    """The session whose own token this is; raises InvalidSessionToken."""
    try:
        return UUID(hex=signing.loads(token, salt=_PLAY_SALT, max_age=MAX_AGE_S))
    except (signing.BadSignature, ValueError):
        raise InvalidSessionToken() from None


def _names(token: str, public_id: UUID, salt: str) -> bool:
    try:
        return bool(signing.loads(token, salt=salt, max_age=MAX_AGE_S) == public_id.hex)
    except signing.BadSignature:
        return False
