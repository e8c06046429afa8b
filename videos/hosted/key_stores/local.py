"""Content keys wrapped with AES-256-GCM by a key of this installation, bound to their row as KMS would bind them."""

import base64
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from videos.hosted.seams.keys import KeyUnreadable, NewKey, WrappedKey

KEY_BYTES = 16
NONCE_BYTES = 12
_FORMAT = "v1"
_PURPOSE = b"videos/content-key/v1"


@dataclass(frozen=True, kw_only=True)
class LocalKeyStore:
    """`keys` are key-encryption keys by id, the first one primary: 32 bytes each, in base64."""

    keys: Mapping[str, str] = field(repr=False)

    @property
    def primary(self) -> str:
        return next(iter(self.keys))

    def generate(self, context: Mapping[str, str]) -> NewKey:
        plain = secrets.token_bytes(KEY_BYTES)
        return NewKey(plain=plain, wrapped=self._wrap(plain, context))

    def unwrap(self, blob: str, context: Mapping[str, str]) -> bytes:
        kek_id, sealed = _parts(blob)
        if kek_id not in self.keys:
            raise KeyUnreadable(f"The key-encryption key {kek_id!r} is not configured.")
        try:
            return self._cipher(kek_id).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], _bound_to(context))
        except InvalidTag:
            raise KeyUnreadable("The wrapped key does not belong to this row, or is damaged.") from None

    def rewrap(self, blob: str, context: Mapping[str, str]) -> WrappedKey:
        return self._wrap(self.unwrap(blob, context), context)

    def probe(self) -> None:
        context = {"app": "videos", "purpose": "probe"}
        made = self.generate(context)
        if self.unwrap(made.wrapped.blob, context) != made.plain:
            raise KeyUnreadable("A wrapped key opened to another one.")

    def _wrap(self, plain: bytes, context: Mapping[str, str]) -> WrappedKey:
        nonce = secrets.token_bytes(NONCE_BYTES)
        sealed = nonce + self._cipher(self.primary).encrypt(nonce, plain, _bound_to(context))
        text = base64.urlsafe_b64encode(sealed).decode().rstrip("=")
        return WrappedKey(blob=f"{_FORMAT}.{self.primary}.{text}", wrapped_by=self.primary)

    def _cipher(self, kek_id: str) -> AESGCM:
        return _cipher(kek_id, self.keys[kek_id])


@lru_cache(maxsize=32)
def _cipher(kek_id: str, secret: str) -> AESGCM:
    material = base64.b64decode(secret, validate=True)
    return AESGCM(HKDF(algorithm=SHA256(), length=32, salt=_PURPOSE, info=kek_id.encode()).derive(material))


def _bound_to(context: Mapping[str, str]) -> bytes:
    return json.dumps(dict(context), sort_keys=True, separators=(",", ":")).encode()


def _parts(blob: str) -> tuple[str, bytes]:
    try:
        kind, kek_id, text = blob.split(".")
        sealed = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        raise KeyUnreadable("This is no wrapped key.") from None
    if kind != _FORMAT:
        raise KeyUnreadable(f"Wrapped keys of the format {kind!r} are not known here.")
    return kek_id, sealed
