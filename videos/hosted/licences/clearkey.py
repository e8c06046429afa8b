"""ClearKey: the key in the clear, to whoever may have it. Encryption with access control, no DRM.

https://www.w3.org/TR/encrypted-media-2/#clear-key-request-format
"""

import base64
import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from videos.hosted.seams.licence import Challenge, ChallengeRefused, KeyMaterial, LicenceAnswer

KIDS_MAX = 32


class ClearKey:
    system = "clearkey"
    key_system = "org.w3.clearkey"
    schemes = ("cbcs",)
    body_max_bytes = 4096

    def read(self, body: bytes, content_type: str) -> Challenge:
        """Players disagree about the content type, so it is not looked at."""
        asked = _json_object(body)
        kids = asked.get("kids")
        if not isinstance(kids, list) or not 0 < len(kids) <= KIDS_MAX:
            raise ChallengeRefused("challenge_malformed", "`kids` is no list of key ids.")
        if asked.get("type", "temporary") != "temporary":
            raise ChallengeRefused("challenge_unsupported", "Licences are not stored.")
        return Challenge(kids=tuple(dict.fromkeys(_kid(kid) for kid in kids)), body=body)

    def answer(self, challenge: Challenge, keys: Mapping[UUID, KeyMaterial], *, valid_s: int) -> LicenceAnswer:
        """ClearKey knows no end of a licence: `valid_s` says nothing here."""
        given = [
            {"kty": "oct", "kid": _text(kid.bytes), "k": _text(keys[kid].key)} for kid in challenge.kids if kid in keys
        ]
        body = json.dumps({"keys": given, "type": "temporary"}).encode()
        return LicenceAnswer(body=body, content_type="application/json")


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        asked = json.loads(body)
    except (ValueError, RecursionError):
        raise ChallengeRefused("challenge_malformed", "The body is no JSON.") from None
    if not isinstance(asked, dict):
        raise ChallengeRefused("challenge_malformed", "The body is no JSON object.")
    return asked


def _kid(text: Any) -> UUID:
    """Base64url without padding, as the standard has it."""
    try:
        return UUID(bytes=base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
    except (ValueError, TypeError):
        raise ChallengeRefused("challenge_malformed", "A key id is not 16 bytes in base64url.") from None


def _text(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode().rstrip("=")
