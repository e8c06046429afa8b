"""The token in the addresses of playlists and media files: whose viewing it is, and of which package."""

import base64
import binascii
from dataclasses import dataclass, field
from uuid import UUID

from django.core import signing

from videos.services.errors import SignatureInvalid
from videos.services.tokens import MAX_AGE_S

_SALT = "videos.hosted.play"
_SIGNER = signing.TimestampSigner(salt=_SALT, sep=".")


@dataclass(frozen=True, kw_only=True)
class Pass:
    """What a token says; `text` is the token itself. The session's state is asked at every use, so it may live long."""

    session_id: UUID
    package_id: UUID
    copy_id: UUID
    alias: str
    text: str = field(repr=False)

    @property
    def prefix(self) -> str:
        """Where the files lie that it opens; it opens no others."""
        return f"{self.copy_id.hex}/p/{self.package_id.hex}/"


def make(*, session_id: UUID, package_id: UUID, copy_id: UUID, alias: str) -> Pass:
    """A pass for one viewing of one package, good for as long as a session's own token."""
    packed = session_id.bytes + package_id.bytes + copy_id.bytes + alias.encode()
    text = _SIGNER.sign(base64.urlsafe_b64encode(packed).rstrip(b"=").decode())
    return Pass(session_id=session_id, package_id=package_id, copy_id=copy_id, alias=alias, text=text)


def read(text: str) -> Pass:
    """The pass that was signed here; raises SignatureInvalid."""
    try:
        value = _SIGNER.unsign(text, max_age=MAX_AGE_S)
        packed = base64.urlsafe_b64decode(value + "=" * (-len(value) % 4))
        session_id, package_id, copy_id = (UUID(bytes=packed[at : at + 16]) for at in (0, 16, 32))
    except (signing.BadSignature, binascii.Error, ValueError):
        raise SignatureInvalid() from None
    return Pass(session_id=session_id, package_id=package_id, copy_id=copy_id, alias=packed[48:].decode(), text=text)
