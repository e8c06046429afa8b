"""Media files through this server: who may have which bytes, and the bytes themselves."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO

from videos.hosted.hosts import host
from videos.hosted.seams.delivery import HandsOver
from videos.hosted.seams.store import FileMissing, Store, StoreUnavailable
from videos.hosted.services.playback import play_tokens
from videos.providers.exceptions import ProviderMisconfigured
from videos.services.errors import HostUnavailable, NoSuchFile
from videos.services.uses import use_session

BLOCK_BYTES = 256 * 1024
TYPES = {".mp4": "video/mp4", ".m4s": "video/iso.segment", ".ts": "video/mp2t", ".jpg": "image/jpeg"}
_NAME = re.compile(r"[a-z0-9-]{1,60}(?:/[a-z0-9-]{1,60})?(\.[a-z0-9]{1,4})")
_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")


@dataclass(frozen=True, kw_only=True)
class Stretch:
    """`length` bytes from `first` on, of `total`."""

    first: int
    length: int
    total: int

    @property
    def content_range(self) -> str:
        return f"bytes {self.first}-{self.first + self.length - 1}/{self.total}"


class Unsatisfiable(Exception):
    """No byte of the file is in the range that was asked for; `total` is the file's size."""

    def __init__(self, total: int) -> None:
        super().__init__(total)
        self.total = total


@dataclass(frozen=True, kw_only=True)
class Media:
    """A file that may be sent: by the server in front of us (`internal_path`), or as `stretch`, opened by `blocks`."""

    content_type: str
    internal_path: str = ""
    stretch: Stretch | None = None
    is_part: bool = False
    store: Store | None = field(default=None, repr=False)
    key: str = ""

    def blocks(self) -> "Blocks":
        """The bytes; raises NoSuchFile or HostUnavailable before the first one."""
        if self.store is None or self.stretch is None:
            raise TypeError("The bytes of this file are not ours to send.")
        try:
            return Blocks(self.store.open_range(self.key, self.stretch.first, self.stretch.length))
        except FileMissing as error:
            raise NoSuchFile() from error
        except StoreUnavailable as error:
            raise HostUnavailable() from error


class Blocks:
    """The bytes of an open file, a block at a time; `close` closes it, begun or not."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if block := self._file.read(BLOCK_BYTES):
            return block
        raise StopIteration

    def close(self) -> None:
        self._file.close()


def media(*, token: str, name: str, wanted: str = "") -> Media:
    """The file `name` of the package that `token` names; `wanted` is a Range header. One statement usually.

    A header that asks for several stretches, or that nobody understands, gets the whole file (RFC 9110, 14.2).
    Raises SignatureInvalid, SessionEnded, SessionRevoked, TooManyStreams, NoSuchFile, HostUnavailable, Unsatisfiable.
    """
    ours = play_tokens.read(token)
    use_session(ours.session_id)
    content_type = _type_of(name)
    key = ours.prefix + name
    try:
        parts = host(ours.alias)
        delivery, store = parts.get_delivery(), parts.get_store()
    except ProviderMisconfigured as error:
        raise HostUnavailable("host_misconfigured") from error
    if isinstance(delivery, HandsOver):
        return Media(content_type=content_type, internal_path=delivery.internal_path(key))
    if not delivery.sends_bytes:
        raise NoSuchFile()
    total = _size_of(store, key)
    stretch = wanted_stretch(wanted, total)
    return Media(
        content_type=content_type,
        stretch=stretch or Stretch(first=0, length=total, total=total),
        is_part=stretch is not None,
        store=store,
        key=key,
    )


def wanted_stretch(wanted: str, total: int) -> Stretch | None:
    """What a Range header asks for of `total` bytes; None: the whole file. Raises Unsatisfiable."""
    found = _RANGE.fullmatch(wanted.strip())
    if found is None or not (found[1] or found[2]):
        return None
    if not found[1]:
        length = min(int(found[2]), total)
        first, last = total - length, total - 1
    else:
        first, last = int(found[1]), min(int(found[2] or total), total - 1)
        if found[2] and int(found[2]) < first:
            return None
    if first > last:
        raise Unsatisfiable(total)
    return Stretch(first=first, length=last - first + 1, total=total)


def _type_of(name: str) -> str:
    found = _NAME.fullmatch(name)
    if found is None or found[1] not in TYPES:
        raise NoSuchFile()
    return TYPES[found[1]]


def _size_of(store: Store, key: str) -> int:
    try:
        total = store.size_of(key)
    except StoreUnavailable as error:
        raise HostUnavailable() from error
    if total is None:
        raise NoSuchFile()
    return total
