"""What a store that is a bucket can do beside: addresses signed for others, and uploads in parts."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from videos.hosted.seams.store import Store


class MultipartGone(Exception):
    """The bucket has no such multipart upload: it was completed, aborted or became too old."""


@dataclass(frozen=True, kw_only=True)
class BucketAccess:
    """What it takes to sign addresses of a bucket.

    `origin` is scheme, host and port; `path` what comes before a key, from the slash on, percent-encoded.
    """

    origin: str
    path: str
    region: str
    access_key: str
    secret_key: str = field(repr=False)
    session_token: str = field(default="", repr=False)


@dataclass(frozen=True, kw_only=True)
class StoredPart:
    """One part that lies in the bucket."""

    number: int
    etag: str
    size_bytes: int


@runtime_checkable
class BucketLike(Store, Protocol):
    """All may wait but `access`, which does so only where credentials come from the machine's role.

    All raise StoreUnavailable.
    """

    def access(self) -> BucketAccess:
        """What addresses are signed with."""

    def begin_multipart(self, key: str, *, content_type: str) -> str:
        """Begin an upload in parts; gives its id at the bucket."""

    def multipart_parts(self, key: str, multipart_id: str) -> Sequence[StoredPart]:
        """The parts that are there, in order; raises MultipartGone."""

    def complete_multipart(self, key: str, multipart_id: str, parts: Sequence[StoredPart]) -> None:
        """Make one file of these parts; raises MultipartGone."""

    def abort_multipart(self, key: str, multipart_id: str) -> None:
        """Drop an upload and its parts; one that is gone is no error."""

    def open_multiparts(self, prefix: str) -> Iterator[tuple[str, str]]:
        """Key and id of every upload in parts that is still open, of keys that begin with `prefix`."""
