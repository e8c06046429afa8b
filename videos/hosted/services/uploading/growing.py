"""A file that grows in its place, by one writer at a time, whichever process of whichever machine that is.

Beside it lies a small file with the number of the present writer. Both change under a lock of that file alone, which is
held for no longer than one block takes: a writer that hangs keeps nobody out, and finds out with its next block.
"""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

from videos.hosted.seams.store import StoreUnavailable
from videos.hosted.stores.local import sync

_NOBODY = 0


class Overtaken(Exception):
    """Somebody else writes this file now, or it is complete or removed."""


class GrowingFile:
    """The file for one writer: what follows `position` is cut off, then blocks are appended. Use it in `with`."""

    def __init__(self, path: Path, claim: Callable[[], tuple[int, int]]) -> None:
        """`claim` is called while nobody else may write; it gives the writer's number and the position to go on from.

        What it raises is let through. Raises StoreUnavailable, and FileNotFoundError when bytes before the position are
        missing.
        """
        with _told(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._beside = os.open(_beside(path), os.O_RDWR | os.O_CREAT, 0o666)
        try:
            with _locked(self._beside):
                self.number, self.position = claim()
                with _told(path):
                    self._file = _opened(path, self.position)
                    os.pwrite(self._beside, _written(self.number), 0)
        except BaseException:
            os.close(self._beside)
            raise
        self._path = path

    def __enter__(self) -> "GrowingFile":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        os.close(self._file)
        os.close(self._beside)

    def write(self, block: bytes) -> None:
        """Append a block; raises Overtaken or StoreUnavailable, after which `position` has not moved."""
        with _told(self._path), _locked(self._beside):
            if os.pread(self._beside, len(_written(self.number)), 0) != _written(self.number):
                raise Overtaken()
            view, position = memoryview(block), self.position
            while view:
                written = os.pwrite(self._file, view, position)
                view, position = view[written:], position + written
        self.position = position

    def sync(self) -> None:
        """Return once what was written outlives a power cut; raises StoreUnavailable."""
        with _told(self._path):
            os.fsync(self._file)


def settle(path: Path, *, keep: bool) -> None:
    """Let nobody write this file any more; with `keep` false it is removed. A file already gone is no error."""
    beside = _beside(path)
    try:
        descriptor = os.open(beside, os.O_RDWR)
    except FileNotFoundError:
        if not keep:
            path.unlink(missing_ok=True)
        return
    try:
        with _locked(descriptor):
            os.pwrite(descriptor, _written(_NOBODY), 0)
            if not keep:
                path.unlink(missing_ok=True)
            beside.unlink(missing_ok=True)
    finally:
        os.close(descriptor)


def _beside(path: Path) -> Path:
    return path.with_name(f"{path.name}.writer")


def _written(number: int) -> bytes:
    return b"%020d" % number


def _opened(path: Path, position: int) -> int:
    """The file, cut to `position`; created, so that a power cut does not lose its name, when nothing came so far."""
    is_new = position == 0 and not path.exists()
    descriptor = os.open(path, os.O_RDWR | (os.O_CREAT if position == 0 else 0), 0o666)
    try:
        if os.fstat(descriptor).st_size < position:
            raise FileNotFoundError(path.name)
        os.ftruncate(descriptor, position)
        if is_new:
            sync(path.parent)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


@contextmanager
def _locked(descriptor: int) -> Iterator[None]:
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        yield
    finally:
        fcntl.flock(descriptor, fcntl.LOCK_UN)


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        raise StoreUnavailable(f"{path.name} could not be written: {error.strerror}") from error
