"""Signatures that several hosts share: hooks signed over a time and a body, and tokens signed with an RSA key."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import jwt
from jwt.algorithms import RSAAlgorithm

from videos.providers.exceptions import WebhookRejected

HOOK_AGE_MAX_S = 300
SIGNATURE_HEADER_MAX_LENGTH = 1000


def header(headers: Mapping[str, str], name: str) -> str:
    """One header whatever the case of its name, empty when it is missing."""
    return next((value for key, value in headers.items() if key.lower() == name.lower()), "")


def verify_timed(signature: str, *, body: bytes, secret: str, time_name: str, digest_name: str) -> None:
    """Prove a header such as `time=<unix s>,sig1=<hex>`: HMAC-SHA256 over `<time>.<body>`, not older than 5 minutes.

    Raises WebhookRejected (invalid_signature; unconfigured without a secret).
    """
    if not secret:
        raise WebhookRejected("No webhook secret is set.", code="unconfigured")
    parts = _parts(signature)
    signed_at, digest = parts.get(time_name, ""), parts.get(digest_name, "")
    expected = hmac.new(secret.encode(), signed_at.encode() + b"." + body, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected.encode(), digest.encode()):
        raise WebhookRejected("The signature does not match.")
    if not signed_at.isascii() or not signed_at.isdecimal() or abs(time.time() - int(signed_at)) > HOOK_AGE_MAX_S:
        raise WebhookRejected("The signature is too old, or of a time to come.")


def _parts(signature: str) -> dict[str, str]:
    """The members of the header; none at all when one comes twice, since nobody knows which of them counts."""
    text = signature.encode("utf-8", "replace").decode()
    pairs = [part.strip().partition("=") for part in text[:SIGNATURE_HEADER_MAX_LENGTH].split(",")]
    names = [name for name, _, _ in pairs]
    return {name: value for name, _, value in pairs} if len(set(names)) == len(names) else {}


class UnreadableSigningKey(ValueError):
    """A signing key that cannot be used; the message says why, without showing any of it."""


@dataclass(frozen=True, kw_only=True)
class SigningKey:
    """An RSA key that signs playback tokens, and the id that the host knows it by."""

    id: str
    key: Any = field(repr=False)

    def sign(self, claims: Mapping[str, Any]) -> str:
        """A JWT (RS256) with these claims; the key's id goes into its header."""
        return jwt.encode(dict(claims), self.key, algorithm="RS256", headers={"kid": self.id})


@lru_cache(maxsize=16)
def signing_key(text: str, key_id: str = "") -> SigningKey:
    """The key in a base64 text: a JWK, which names its id itself, or a PEM, whose id is `key_id`.

    Raises UnreadableSigningKey, without its cause: a parser's error may quote what it read. Keys are kept, for reading
    one takes longer than signing with it.
    """
    try:
        decoded = base64.b64decode(text, validate=True)
    except ValueError:
        raise UnreadableSigningKey("it is not base64") from None
    kind = _jwk if decoded.lstrip().startswith(b"{") else _pem
    found = kind(decoded, key_id)
    if not found.id:
        raise UnreadableSigningKey("it is a PEM, so the id of the key must be set beside it")
    return found


def _jwk(decoded: bytes, key_id: str) -> SigningKey:
    try:
        members = json.loads(decoded)
        key = RSAAlgorithm.from_jwk(members)
    except (ValueError, TypeError, jwt.InvalidKeyError):
        raise UnreadableSigningKey("it is not an RSA key as JWK") from None
    if not isinstance(members.get("d"), str):
        raise UnreadableSigningKey("it is a public key")
    return SigningKey(id=str(members.get("kid") or key_id), key=key)


def _pem(decoded: bytes, key_id: str) -> SigningKey:
    try:
        key = RSAAlgorithm(RSAAlgorithm.SHA256).prepare_key(decoded)
    except (ValueError, TypeError, jwt.InvalidKeyError):
        raise UnreadableSigningKey("it is neither a JWK nor a PEM of an RSA key") from None
    if not hasattr(key, "sign"):
        raise UnreadableSigningKey("it is a public key")
    return SigningKey(id=key_id, key=key)
