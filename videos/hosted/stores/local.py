"""A folder of this machine, or one that all machines share."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast
from uuid import uuid4

from videos.hosted.seams.store import FileMissing, StoreUnavailable
from videos.hosted.stores.section import Section

ROOT_MODE = 0o750
"""Originals and what is made of them lie below in the clear: for this user, and the group that nginx may be in."""


@dataclass(frozen=True, kw_only=True)
class LocalStore:
    """Files below `root`, moved to their place by a rename, so that they are there whole or not at all."""

    root: str

    def path_of(self, key: str) -> Path:
        """Where the file of this key is, or would be; also for uploads, which grow in their place."""
        return Path(self.root, *key.split("/"))

    def free_bytes(self) -> int:
        """What the disk has room for; raises StoreUnavailable."""
        with _translated(self.root):
            self._make_root()
            return shutil.disk_usage(self.root).free

    def put_file(self, key: str, path: Path, *, content_type: str = "application/octet-stream") -> None:
        target = self.path_of(key)
        with _translated(key):
            self._make_root()
            target.parent.mkdir(parents=True, exist_ok=True)
            if os.stat(path).st_dev == os.stat(target.parent).st_dev:
                sync(path)
                os.replace(path, target)
            else:
                _copy_whole(path, target)
            sync(target.parent)

    def fetch(self, key: str, path: Path) -> None:
        with _translated(key):
            try:
                shutil.copyfile(self.path_of(key), path)
            except FileNotFoundError as error:
                raise FileMissing(key) from error

    def local_path(self, key: str) -> Path | None:
        path = self.path_of(key)
        return path if path.is_file() else None

    def open_range(self, key: str, first: int, length: int) -> IO[bytes]:
        with _translated(key):
            try:
                file = self.path_of(key).open("rb")
            except (FileNotFoundError, IsADirectoryError) as error:
                raise FileMissing(key) from error
        return cast(IO[bytes], Section(file, first, length))

    def size_of(self, key: str) -> int | None:
        with _translated(key):
            try:
                return self.path_of(key).stat().st_size
            except (FileNotFoundError, NotADirectoryError):
                return None

    def keys(self, prefix: str) -> Iterator[str]:
        with _translated(prefix):
            for folder, _, names in os.walk(self.path_of(prefix.rpartition("/")[0]), onerror=_tell_unless_gone):
                for name in names:
                    key = Path(folder, name).relative_to(self.root).as_posix()
                    if key.startswith(prefix):
                        yield key

    def delete_all(self, prefix: str) -> int:
        deleted = 0
        for key in self.keys(prefix):
            with _translated(key):
                self.path_of(key).unlink(missing_ok=True)
            deleted += 1
        if prefix.endswith("/"):
            shutil.rmtree(self.path_of(prefix.rstrip("/")), ignore_errors=True)
        return deleted

    def probe(self) -> None:
        path = Path(self.root, f".probe-{uuid4().hex}")
        with _translated(self.root):
            self._make_root()
            path.write_bytes(b"probe")
            path.unlink()

    def _make_root(self) -> None:
        os.makedirs(self.root, mode=ROOT_MODE, exist_ok=True)


def sync(path: Path) -> None:
    """Return once this file, or the names in this folder, outlive a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _copy_whole(path: Path, target: Path) -> None:
    """Copy to another disk; nothing is left there of a copy that fails."""
    beside = target.with_name(f".{uuid4().hex}.part")
    try:
        shutil.copyfile(path, beside)
        sync(beside)
        os.replace(beside, target)
    finally:
        beside.unlink(missing_ok=True)


def _tell_unless_gone(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise error


@contextmanager
def _translated(key: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreUnavailable(f"{key}: {error.strerror}") from error
