"""Uploads straight to a bucket, in parts: the row fixes bucket, key and size, and the bucket says what is there.

The browser puts parts by addresses signed here; beginning, completing and giving up are asked of the bucket by us.
"""

import logging
import math
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import cast
from uuid import UUID

from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone

from videos.hosted import containers
from videos.hosted.deliveries.sigv4 import Presigner
from videos.hosted.hosts import host
from videos.hosted.models import Upload, UploadKind, UploadState
from videos.hosted.seams.bucket import BucketLike, MultipartGone, StoredPart
from videos.hosted.seams.store import FileMissing, StoreUnavailable
from videos.hosted.services.uploading import arrivals, uploads
from videos.providers import failures
from videos.providers.exceptions import ProviderMisconfigured
from videos.providers.registry import providers
from videos.providers.types import MultipartTicket
from videos.services.errors import HostUnavailable, UploadNotFound, UploadOver, UploadRefused
from videos.services.host_calls import give_connection_back

PARTS_MAX = 10_000
PART_MIN_BYTES = 5 * 1024**2
"""Limits of S3 and R2, see https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html"""

SIGNED_S = 3600
SWEEP_BATCH = 100

logger = logging.getLogger(__name__)


def find(public_id: UUID, secret: str) -> Upload:
    """The upload in parts with this id and secret; raises UploadNotFound, also for one that goes another way."""
    upload = uploads.find_upload(public_id, secret)
    if upload.kind != UploadKind.MULTIPART:
        raise UploadNotFound()
    return upload


def require_open(upload: Upload) -> None:
    """Raise UploadOver unless parts may still be sent."""
    uploads.require_usable(upload)
    if upload.state == UploadState.COMPLETED:
        raise UploadOver("upload_complete", detail="This upload is complete.")


def ticket(upload: Upload) -> MultipartTicket:
    """Begin the upload at its bucket and give what a browser needs, addresses of this server; raises HostUnavailable.

    A process that dies in here leaves a beginning at the bucket, which `give_up_ended` finds by its key.
    """
    begin(upload)
    base = reverse("videos_hosted:upload", args=[upload.public_id, upload.secret])
    return MultipartTicket(
        host_id=upload.video.host_id,
        url=base,
        companion_url=base.removesuffix("/"),
        part_bytes=cast(int, upload.part_bytes),
        expires_at=upload.expires_at,
    )


def begin(upload: Upload) -> None:
    """Begin the upload at its bucket, once; raises HostUnavailable."""
    if upload.multipart_id:
        return
    with _as_ours():
        upload.multipart_id = _store(upload).begin_multipart(
            upload.key, content_type=upload.content_type or "application/octet-stream"
        )
    upload.part_bytes = part_bytes_for(upload.length, host(upload.video.alias).upload_part_bytes)
    Upload.objects.filter(pk=upload.pk).update(multipart_id=upload.multipart_id, part_bytes=upload.part_bytes)


def part_bytes_for(length: int, wished: int) -> int:
    """The size of parts for a file of `length` bytes, such that no more than 10,000 are needed."""
    mib = 1024**2
    return max(wished, PART_MIN_BYTES, math.ceil(length / PARTS_MAX / mib) * mib)


def sign_parts(upload: Upload, numbers: Collection[int]) -> dict[int, str]:
    """Addresses to PUT parts of these numbers to, good for an hour; the upload lives on by that.

    Raises UploadOver, UploadRefused (`part_number_invalid`) or HostUnavailable.
    """
    require_open(upload)
    last = min(max(math.ceil(upload.length / PART_MIN_BYTES), 1), PARTS_MAX)
    if wrong := [number for number in numbers if not 1 <= number <= last]:
        raise UploadRefused("part_number_invalid", detail=f"Parts are numbered from 1 to {last}.", numbers=wrong)
    uploads.prolong(upload)
    now = timezone.now()
    with _as_ours():
        access = _store(upload).access()
    sign = Presigner(access, method="PUT", now=now, expires_at=now + timedelta(seconds=SIGNED_S))
    query = {"uploadId": upload.multipart_id}
    return {number: sign(upload.key, query | {"partNumber": str(number)}) for number in numbers}


def list_parts(upload: Upload) -> Sequence[StoredPart]:
    """The parts that are at the bucket, in order; all of them once they were put together.

    Raises UploadOver or HostUnavailable.
    """
    uploads.require_usable(upload)
    if upload.state == UploadState.COMPLETED:
        return _all_parts(upload)
    store = _store(upload)
    with _as_ours():
        try:
            return store.multipart_parts(upload.key, upload.multipart_id)
        except MultipartGone:
            if store.size_of(upload.key) == upload.length:
                return _all_parts(upload)
    uploads.end_upload(upload)
    raise UploadOver()


def complete(upload: Upload) -> None:
    """Have the bucket make one file of the parts, look at it, and let it be prepared. Safe twice, also after a crash.

    Raises UploadOver, HostUnavailable, or UploadRefused: `parts_missing` and `parts_unequal`, with their numbers, while
    more can be sent; `size_mismatch` and `not_a_video` when the upload has ended by that.
    """
    uploads.require_usable(upload)
    if upload.state == UploadState.COMPLETED:
        return
    if upload.length:
        with _as_ours():
            _put_together(upload)
            _look_at(upload)
    arrivals.file_arrived(upload.pk, size=upload.length)


def abort(upload: Upload) -> None:
    """Give the upload up, at the bucket too, now or by the sweep; raises UploadOver for one that is complete."""
    if upload.state == UploadState.COMPLETED or not uploads.end_upload(upload):
        upload.refresh_from_db(fields=["state"])
        if upload.state == UploadState.COMPLETED:
            raise UploadOver("upload_complete", detail="This upload is complete. Delete the video instead.")
    try:
        _give_up(upload)
    except StoreUnavailable as error:
        logger.warning("Upload %s is given up at its bucket later: %s", upload.public_id, error)


def to_finish() -> QuerySet[Upload]:
    """Uploads whose parts were all at their bucket when somebody set out to complete them."""
    return _of_buckets().filter(state=UploadState.OPEN, offset__gt=0).order_by("pk")


def finish_begun() -> int:
    """Complete the oldest hundred of `to_finish`, whose processes may have died; gives how many. For the sweep."""
    finished = 0
    for upload in to_finish()[:SWEEP_BATCH]:
        try:
            complete(upload)
            finished += 1
        except (HostUnavailable, UploadOver, UploadRefused) as error:
            logger.warning("Upload %s could not be completed: %s", upload.public_id, error)
    return finished


def to_give_up() -> QuerySet[Upload]:
    """Ended uploads that may have left something at their bucket."""
    return _of_buckets().filter(state=UploadState.ENDED, emptied_at=None).order_by("pk")


def give_up_ended() -> int:
    """Remove from their buckets what came of the oldest hundred of `to_give_up`; gives how many. For the sweep."""
    given_up = 0
    for upload in to_give_up()[:SWEEP_BATCH]:
        try:
            _give_up(upload)
            given_up += 1
        except StoreUnavailable as error:
            logger.warning("Upload %s is given up at its bucket later: %s", upload.public_id, error)
    return given_up


def _put_together(upload: Upload) -> None:
    store = _store(upload)
    try:
        parts = store.multipart_parts(upload.key, upload.multipart_id)
        _check(parts, upload)
        # From here on the sweep goes on where this process may end.
        Upload.objects.filter(pk=upload.pk, state=UploadState.OPEN).update(offset=upload.length)
        store.complete_multipart(upload.key, upload.multipart_id, parts)
    except MultipartGone:
        # Completed before, by a process that died or beside this one; the next look tells.
        return
    except StoreUnavailable:
        # An answer that was lost, or an error where another one completed it meanwhile.
        if store.size_of(upload.key) != upload.length:
            raise


def _look_at(upload: Upload) -> None:
    store = _store(upload)
    size = store.size_of(upload.key)
    if size is None:
        uploads.end_upload(upload)
        raise UploadOver()
    if size != upload.length:
        _refuse(upload, failures.UNREADABLE)
        raise UploadRefused("size_mismatch", detail=f"The file has {size} bytes instead of {upload.length}.")
    try:
        with store.open_range(upload.key, 0, containers.HEAD_BYTES) as file:
            head = file.read()
    except FileMissing:
        raise UploadOver() from None
    if not containers.is_media(head):
        _refuse(upload, failures.NOT_A_VIDEO)
        raise UploadRefused("not_a_video", detail=failures.reason_of(failures.NOT_A_VIDEO))


def _refuse(upload: Upload, failure_code: str) -> None:
    arrivals.refuse_file(upload.pk, failure_code=failure_code)
    upload.state = UploadState.ENDED
    _give_up(upload)


def _check(parts: Sequence[StoredPart], upload: Upload) -> None:
    """That these parts make the whole file; a client may have cut it otherwise than the ticket said."""
    sizes = {part.number: part.size_bytes for part in parts}
    largest = max(sizes.values(), default=0)
    told = cast(int, upload.part_bytes)
    size = told if told in sizes.values() or largest < PART_MIN_BYTES else largest
    expected = dict.fromkeys(range(1, math.ceil(upload.length / size)), size)
    expected[len(expected) + 1] = upload.length - len(expected) * size
    if missing := [number for number in expected if number not in sizes]:
        raise UploadRefused("parts_missing", detail="Not all parts have arrived.", numbers=missing)
    if wrong := [number for number in sizes if sizes[number] != expected.get(number)]:
        raise UploadRefused("parts_unequal", detail="These parts have a wrong size: send them again.", numbers=wrong)


def _give_up(upload: Upload) -> None:
    store = _store(upload)
    for key, multipart_id in {(upload.key, upload.multipart_id), *store.open_multiparts(upload.key)}:
        if multipart_id and key == upload.key:
            store.abort_multipart(key, multipart_id)
    if upload.video.source_key != upload.key:
        store.delete_all(upload.key)
    Upload.objects.filter(pk=upload.pk).update(emptied_at=timezone.now())


def _all_parts(upload: Upload) -> list[StoredPart]:
    size = cast(int, upload.part_bytes)
    whole, rest = divmod(upload.length, size)
    sizes = [size] * whole + ([rest] if rest else [])
    return [StoredPart(number=number, etag='"complete"', size_bytes=each) for number, each in enumerate(sizes, 1)]


def _store(upload: Upload) -> BucketLike:
    store = host(upload.video.alias).get_store()
    if not isinstance(store, BucketLike):
        raise ProviderMisconfigured(f'"{upload.video.alias}" keeps its files in no bucket.')
    return store


def _of_buckets() -> QuerySet[Upload]:
    aliases = [alias for alias in providers if _keeps_files_in_bucket(alias)]
    found = Upload.objects.filter(kind=UploadKind.MULTIPART, video__alias__in=aliases)
    return found.select_related("video")


def _keeps_files_in_bucket(alias: str) -> bool:
    try:
        return isinstance(host(alias).get_store(), BucketLike)
    except ProviderMisconfigured:
        return False


@contextmanager
def _as_ours() -> Iterator[None]:
    give_connection_back()
    try:
        yield
    except StoreUnavailable as error:
        logger.warning("A bucket does not do what it should: %s", error)
        raise HostUnavailable() from error
