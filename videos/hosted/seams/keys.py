"""Who wraps content keys: a key of this machine, or a key-management service."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol


class KeyStoreUnavailable(Exception):
    """The key store cannot be reached; trying again may help. The message holds no secret."""


class KeyUnreadable(Exception):
    """A wrapped key does not open: wrong key-encryption key, wrong context or damaged. The message holds no secret."""


@dataclass(frozen=True, kw_only=True)
class WrappedKey:
    """A content key as rows keep it, and the id of the key-encryption key that opens it."""

    blob: str
    wrapped_by: str


@dataclass(frozen=True, kw_only=True)
class NewKey:
    """A content key of 16 bytes that was just made."""

    plain: bytes = field(repr=False)
    wrapped: WrappedKey


class KeyStore(Protocol):
    """`context` binds a wrapped key to its row: another context opens nothing. Raises KeyStoreUnavailable."""

    @property
    def primary(self) -> str:
        """The id of the key-encryption key that new keys are wrapped with."""

    def generate(self, context: Mapping[str, str]) -> NewKey:
        """A new random content key."""

    def unwrap(self, blob: str, context: Mapping[str, str]) -> bytes:
        """The 16 bytes of a content key; raises KeyUnreadable."""

    def rewrap(self, blob: str, context: Mapping[str, str]) -> WrappedKey:
        """The same content key under the primary key-encryption key; raises KeyUnreadable."""

    def probe(self) -> None:
        """Wrap and unwrap a key that is used for nothing. For checks."""
