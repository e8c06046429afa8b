"""Where files lie: a folder of this machine, or a bucket."""

from collections.abc import Iterator
from pathlib import Path
from typing import IO, Protocol


class FileMissing(Exception):
    """The store has no such file; the message is its key."""


class StoreUnavailable(Exception):
    """The store cannot be reached, or has no room; trying again may help. The message holds no secret."""


class Store(Protocol):
    """Keys are relative paths of `[A-Za-z0-9._/-]`, made by us alone. Every method but `local_path` may wait.

    All raise StoreUnavailable. A file appears whole under its key or not at all.
    """

    def put_file(self, key: str, path: Path, *, content_type: str = "application/octet-stream") -> None:
        """Keep the file at `path` under `key`, in place of what was there. The file itself may be moved away."""

    def fetch(self, key: str, path: Path) -> None:
        """Copy what lies under `key` to `path`; raises FileMissing."""

    def local_path(self, key: str) -> Path | None:
        """The file of this key where it lies on this machine, to be read only; None where it does not."""

    def open_range(self, key: str, first: int, length: int) -> IO[bytes]:
        """A reader of `length` bytes from `first` on; raises FileMissing."""

    def size_of(self, key: str) -> int | None:
        """Bytes under this key; None when there is no such file."""

    def keys(self, prefix: str) -> Iterator[str]:
        """The keys that begin with `prefix`, in no order."""

    def delete_all(self, prefix: str) -> int:
        """Delete what begins with `prefix`; gives how many files. Deleting nothing is no error."""

    def probe(self) -> None:
        """Write, read and delete a small file; raises StoreUnavailable. For checks."""
