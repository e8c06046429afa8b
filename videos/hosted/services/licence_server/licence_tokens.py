"""The bearers of the licence server.

A first licence is given for a token of its own, good once and for two minutes: it names the viewing, the package, the
content key and the device, so that a player chooses none of them. A key for a playlist (`aes128`) has the same with
another audience. Renewals come with the session's own token.

A player of an anonymous viewer cannot know its device's id (a cookie that scripts cannot read), and a request for a
licence carries no cookie: there the token alone binds the device, as it was handed to that device.
"""

import secrets
import time
from dataclasses import dataclass, field
from uuid import UUID

from django.core import signing
from django.utils.crypto import salted_hmac

from videos.hosted.models import LicenceKind
from videos.services.errors import InvalidSessionToken, LicenceRefused
from videos.services.tokens import session_of

LICENCE = "videos.licence"
PLAYLIST_KEY = "videos.licence.playlist_key"
_DEVICE = "videos.licence.device"
_TOKEN_ID_BYTES = 16


@dataclass(frozen=True, kw_only=True)
class Bearer:
    """What a bearer proves. That of a renewal names the session alone; `expires_at` is in seconds since 1970."""

    session_id: UUID
    kind: LicenceKind
    token_id: str = field(default="", repr=False)
    expires_at: int = 0
    package_id: UUID | None = None
    kid: UUID | None = None
    device: str = ""


def sign(*, audience: str, session_id: UUID, package_id: UUID, kid: UUID, device_id: str, ttl_s: int) -> str:
    """A token for one licence of this session, for the key `kid` alone, good for `ttl_s`."""
    token_id, expires_at = secrets.token_hex(_TOKEN_ID_BYTES), int(time.time()) + ttl_s
    named = [token_id, expires_at, session_id.hex, package_id.hex, kid.hex, device_digest(device_id)]
    return signing.dumps(named, salt=audience)


def read(token: str, *, audience: str) -> Bearer:
    """What a token of this audience proves; raises LicenceRefused (`token_invalid` or `token_expired`)."""
    try:
        token_id, expires_at, session, package, kid, device = signing.loads(token, salt=audience)
    except signing.BadSignature:
        raise LicenceRefused("token_invalid") from None
    if expires_at <= time.time():
        raise LicenceRefused("token_expired")
    return Bearer(
        session_id=UUID(hex=session),
        kind=LicenceKind.FIRST,
        token_id=token_id,
        expires_at=expires_at,
        package_id=UUID(hex=package),
        kid=UUID(hex=kid),
        device=device,
    )


def read_any(token: str) -> Bearer:
    """As `read` for a player's licence; the session's own token is the bearer of a renewal."""
    try:
        return read(token, audience=LICENCE)
    except LicenceRefused as refusal:
        try:
            return Bearer(session_id=session_of(token), kind=LicenceKind.RENEWAL)
        except InvalidSessionToken:
            raise refusal from None


def device_digest(device_id: str) -> str:
    """A keyed hash of a device's id, as tokens and records hold it."""
    return salted_hmac(_DEVICE, device_id, algorithm="sha256").hexdigest()[:32]
