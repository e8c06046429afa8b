"""What a tus 1.0.0 upload means for our rows and files: https://tus.io/protocols/resumable-upload

`Upload.offset` is what was verified and lies on disk for good; it never runs ahead of the file.
"""

import hashlib
import hmac
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F
from django.urls import reverse

from videos.hosted.hosts import host
from videos.hosted.models import HostedVideo, Upload, UploadState
from videos.hosted.seams.store import StoreUnavailable
from videos.hosted.services.uploading import growing
from videos.hosted.services.uploading.arrivals import file_arrived
from videos.hosted.services.uploading.uploads import local_store, prolong, require_usable
from videos.providers.types import TusTicket
from videos.services.errors import UploadOver, VideosError
from videos.services.host_calls import give_connection_back
from videos.services.uploads import create_upload

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

BLOCK_BYTES = 256 * 1024
MOVE_BYTES = 64 * 1024**2
MOVE_S = 5.0
LONG_S = 1.0
ALGORITHMS = ("sha1", "sha256")


class OffsetConflict(VideosError):
    """The bytes begin elsewhere than what is there ends, or another request writes this upload now."""

    code = "offset_conflict"
    detail = "Ask for the present offset and go on from there."

    def __init__(self, offset: int) -> None:
        super().__init__()
        self.offset = offset


class BodyTooLong(VideosError):
    code = "body_too_long"
    detail = "More bytes came than were announced for this upload."


class ChecksumMismatch(VideosError):
    code = "checksum_mismatch"
    detail = "The bytes that came are not those of the checksum. They were discarded."


class Readable(Protocol):
    """Where a body comes from; an OSError says that the connection is gone."""

    def read(self, size: int, /) -> bytes: ...


@dataclass(frozen=True, kw_only=True)
class Checksum:
    """`algorithm` is one of ALGORITHMS."""

    algorithm: str
    digest: bytes


@dataclass(frozen=True, kw_only=True)
class Chunk:
    """Bytes for an upload from `offset` on; `size` is how many were announced, None when nobody said."""

    offset: int
    stream: Readable
    size: int | None = None
    checksum: Checksum | None = None


def ticket(upload: Upload) -> TusTicket:
    """What a browser needs to send the file of this upload; its address is a path of this server."""
    return TusTicket(
        host_id=upload.video.host_id,
        upload_url=address(upload),
        chunk_size=host(upload.video.alias).tus_chunk_bytes,
        expires_at=upload.expires_at,
    )


def address(upload: Upload) -> str:
    """The path that holds the upload's secret."""
    return reverse("videos_hosted:upload", args=[upload.public_id, upload.secret])


def create(
    *,
    owner: "AbstractBaseUser",
    alias: str,
    length: int,
    title: str,
    filename: str,
    content_type: str,
    metadata: str,
) -> Upload:
    """Create a video for a file of `length` bytes, and the upload; `metadata` is kept as the client wrote it.

    An upload of no bytes is complete at once. Raises as `videos.services.uploads.create_upload`.
    """
    _, asset, _ = create_upload(
        owner=owner,
        title=title,
        filename=filename,
        size_bytes=length,
        content_type=content_type,
        provider_alias=alias,
    )
    upload = Upload.objects.select_related("video").get(video__public_id=UUID(hex=asset.host_id))
    upload.metadata = metadata
    upload.save(update_fields=["metadata"])
    if length == 0:
        file_arrived(upload.pk, size=0)
    return upload


def append(upload: Upload, chunk: Chunk) -> Upload:
    """Add a chunk to an upload, as far as it comes; gives the upload as it is then, complete perhaps.

    A chunk with a checksum is kept whole or not at all. Of two requests at once the later one goes on and the earlier
    one stops. Raises UploadOver, OffsetConflict, BodyTooLong, ChecksumMismatch or StoreUnavailable.
    """
    require_usable(upload)
    if chunk.offset != upload.offset:
        raise OffsetConflict(upload.offset)
    if chunk.size is not None and chunk.size > upload.length - upload.offset:
        raise BodyTooLong()
    if upload.state == UploadState.COMPLETED:
        return upload
    path = local_store(upload).path_of(upload.key)
    with _take_turn(upload, path, chunk.offset) as file:
        try:
            _Appending(upload, file, chunk).run()
        except growing.Overtaken:
            raise _conflict(upload) from None
    upload.refresh_from_db()
    if upload.state == UploadState.COMPLETED:
        growing.settle(path, keep=True)
    return upload


class _Appending:
    """One chunk on its way into the file."""

    def __init__(self, upload: Upload, file: growing.GrowingFile, chunk: Chunk) -> None:
        self._upload, self._file, self._chunk = upload, file, chunk
        self._digest = hashlib.new(chunk.checksum.algorithm, usedforsecurity=False) if chunk.checksum else None
        self._moved_to, self._moved_at = file.position, time.monotonic()
        self._has_connection = True

    def run(self) -> None:
        try:
            while block := self._read():
                self._take(block)
        except StoreUnavailable:
            if self._digest is None:
                self._move()
            raise
        checksum = self._chunk.checksum
        if checksum and self._digest and not hmac.compare_digest(self._digest.digest(), checksum.digest):
            raise ChecksumMismatch()
        if self._file.position != self._moved_to or self._file.position == self._upload.length:
            self._move()

    def _read(self) -> bytes:
        """The next block; one byte more than is missing is asked for, to see whether the body ends where it should."""
        self._give_connection_back()
        try:
            return self._chunk.stream.read(min(BLOCK_BYTES, self._upload.length - self._file.position + 1))
        except OSError:
            return b""  # what came so far is kept, as the protocol wants it

    def _give_connection_back(self) -> None:
        """Keep no database connection for a body that takes long, and none of a pool for any."""
        is_pooled = bool(connection.settings_dict.get("OPTIONS", {}).get("pool"))
        if self._has_connection and (is_pooled or time.monotonic() - self._moved_at >= LONG_S):
            give_connection_back()
            self._has_connection = False

    def _take(self, block: bytes) -> None:
        if self._file.position + len(block) > self._upload.length:
            raise BodyTooLong()
        self._file.write(block)
        if self._digest is not None:
            self._digest.update(block)
        elif self._is_time_to_move():
            self._move()

    def _is_time_to_move(self) -> bool:
        is_much = self._file.position - self._moved_to >= MOVE_BYTES
        is_long_ago = time.monotonic() - self._moved_at >= MOVE_S
        # The end of the file is only moved to once the body has ended there.
        return (is_much or is_long_ago) and self._file.position < self._upload.length

    def _move(self) -> None:
        """Let the offset follow the file; raises Overtaken."""
        self._file.sync()
        upload, position = self._upload, self._file.position
        mine = Upload.objects.filter(pk=upload.pk, state=UploadState.OPEN, writer=self._file.number)
        self._has_connection = True
        with transaction.atomic():
            if position == upload.length:
                # The video before its upload, as everybody does who locks both.
                HostedVideo.objects.select_for_update(no_key=True).get(pk=upload.video_id)
            if not mine.update(offset=position):
                raise growing.Overtaken()
            prolong(upload)
            if position == upload.length:
                file_arrived(upload.pk, size=position)
        self._moved_to, self._moved_at = position, time.monotonic()


def _take_turn(upload: Upload, path: Path, offset: int) -> growing.GrowingFile:
    try:
        return growing.GrowingFile(path, lambda: _claim(upload, offset))
    except FileNotFoundError:
        # Bytes are gone that were on disk for good (a folder was emptied, a disk restored): all of it is sent again.
        Upload.objects.filter(pk=upload.pk, state=UploadState.OPEN).update(offset=0, writer=F("writer") + 1)
        raise OffsetConflict(0) from None


def _claim(upload: Upload, offset: int) -> tuple[int, int]:
    """Become the one that writes; gives the writer's number and the offset. Raises as `_conflict`."""
    free = Upload.objects.filter(pk=upload.pk, state=UploadState.OPEN, offset=offset)
    with transaction.atomic():
        if free.update(writer=F("writer") + 1):
            return Upload.objects.values_list("writer", "offset").get(pk=upload.pk)
    raise _conflict(upload)


def _conflict(upload: Upload) -> OffsetConflict | UploadOver:
    upload.refresh_from_db(fields=["state", "offset"])
    return UploadOver() if upload.state == UploadState.ENDED else OffsetConflict(upload.offset)
