"""Who wraps content keys: a key of this machine, or a key-management service."""

from collections.abc import Mapping, Sequence
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
    """`context` binds a wrapped key to its row: another context opens nothing. All raise KeyStoreUnavailable."""

    @property
    def primary(self) -> str:
        """The id of the key-encryption key that new keys are wrapped with."""

    def holds(self, wrapped_by: str) -> bool:
        """Whether the key-encryption key of this id is one of this store's, so that it opens what it wrapped."""

    def generate(self, context: Mapping[str, str]) -> NewKey:
        """A new random content key."""

    def wrap(self, plain: bytes, context: Mapping[str, str]) -> WrappedKey:
        """A content key that another store opened, under the primary key-encryption key of this one."""

    def unwrap(self, blob: str, context: Mapping[str, str]) -> bytes:
        """The 16 bytes of a content key; raises KeyUnreadable."""

    def rewrap(self, blob: str, context: Mapping[str, str]) -> WrappedKey:
        """The same content key under the primary key-encryption key; raises KeyUnreadable."""

    def probe(self) -> None:
        """Wrap and unwrap a key that is used for nothing; raises KeyUnreadable too. For checks."""

    def problems(self) -> Sequence[str]:
        """What is wrong with the options, one sentence each, without a secret; asks nobody. For checks."""
