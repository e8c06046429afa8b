"""Content keys wrapped with AES-256-GCM by a key of this installation, bound to their row as KMS would bind them."""

import base64
import json
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from videos.hosted.seams.keys import KeyStoreUnavailable, KeyUnreadable, NewKey, WrappedKey

KEY_BYTES = 16
KEK_BYTES = 32
NONCE_BYTES = 12
_FORMAT = "v1"
_PURPOSE = b"videos/content-key/v1"
_KEK_ID = re.compile(r"[A-Za-z0-9_-]{1,32}")
"""Shorter than a key in base64, so that one in the place of an id is not taken for an id, and shown."""


@dataclass(frozen=True, kw_only=True)
class LocalKeyStore:
    """`keys` are key-encryption keys by id, the first one primary: 32 bytes each, in base64."""

    keys: Mapping[str, str] = field(repr=False)

    @property
    def primary(self) -> str:
        if not self.keys:
            raise KeyStoreUnavailable("No key-encryption key is configured.")
        return next(iter(self.keys))

    def holds(self, wrapped_by: str) -> bool:
        return wrapped_by in self.keys

    def generate(self, context: Mapping[str, str]) -> NewKey:
        plain = secrets.token_bytes(KEY_BYTES)
        return NewKey(plain=plain, wrapped=self.wrap(plain, context))

    def wrap(self, plain: bytes, context: Mapping[str, str]) -> WrappedKey:
        nonce = secrets.token_bytes(NONCE_BYTES)
        sealed = nonce + self._cipher(self.primary).encrypt(nonce, plain, _bound_to(context))
        text = base64.urlsafe_b64encode(sealed).decode().rstrip("=")
        return WrappedKey(blob=f"{_FORMAT}.{self.primary}.{text}", wrapped_by=self.primary)

    def unwrap(self, blob: str, context: Mapping[str, str]) -> bytes:
        kek_id, sealed = _parts(blob)
        if kek_id not in self.keys:
            raise KeyUnreadable(f"The key-encryption key {kek_id!r} is not configured.")
        try:
            return self._cipher(kek_id).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], _bound_to(context))
        except InvalidTag:
            raise KeyUnreadable(
                f"The wrapped key does not belong to this row, is damaged, or {kek_id!r} is not the key it was."
            ) from None

    def rewrap(self, blob: str, context: Mapping[str, str]) -> WrappedKey:
        return self.wrap(self.unwrap(blob, context), context)

    def probe(self) -> None:
        context = {"app": "videos", "purpose": "probe"}
        made = self.generate(context)
        if self.unwrap(made.wrapped.blob, context) != made.plain:
            raise KeyUnreadable("A wrapped key opened to another one.")

    def problems(self) -> Sequence[str]:
        if not self.keys:
            return ["No key-encryption key is configured."]
        if not all(_KEK_ID.fullmatch(kek_id) for kek_id in self.keys):
            return ["The id of a key-encryption key has 1 to 32 letters, digits, - and _: write it as id=base64."]
        found = [_problem_of(kek_id, secret) for kek_id, secret in self.keys.items()]
        return [problem for problem in found if problem]

    def _cipher(self, kek_id: str) -> AESGCM:
        for problem in self.problems():
            raise KeyStoreUnavailable(problem)
        return _cipher(kek_id, self.keys[kek_id])


def _problem_of(kek_id: str, secret: str) -> str:
    try:
        material = base64.b64decode(secret, validate=True)
    except (ValueError, TypeError):
        return f"The key-encryption key {kek_id!r} is no base64."
    if len(material) != KEK_BYTES:
        return f"The key-encryption key {kek_id!r} has {len(material)} bytes instead of {KEK_BYTES}."
    return ""


@lru_cache(maxsize=32)
def _cipher(kek_id: str, secret: str) -> AESGCM:
    material = base64.b64decode(secret, validate=True)
    return AESGCM(HKDF(algorithm=SHA256(), length=32, salt=_PURPOSE, info=kek_id.encode()).derive(material))


def _bound_to(context: Mapping[str, str]) -> bytes:
    return json.dumps(dict(context), sort_keys=True, separators=(",", ":")).encode()


def _parts(blob: str) -> tuple[str, bytes]:
    try:
        kind, kek_id, text = blob.split(".")
        sealed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except ValueError:
        raise KeyUnreadable("This is no wrapped key.") from None
    if kind != _FORMAT:
        raise KeyUnreadable(f"Wrapped keys of the format {kind[:20]!r} are not known here.")
    if len(sealed) != NONCE_BYTES + KEY_BYTES + 16:
        raise KeyUnreadable("The wrapped key has not the length of one.")
    return kek_id, sealed
