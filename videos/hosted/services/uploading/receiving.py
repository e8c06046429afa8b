"""A file that this process holds already, kept as that of a copy that waits for one."""

import shutil
from typing import IO
from uuid import UUID

from videos.hosted.hosts import host
from videos.hosted.models import Upload, UploadState
from videos.hosted.seams.bucket import BucketLike
from videos.hosted.seams.store import StoreUnavailable
from videos.hosted.services.transcoding import work_folders
from videos.hosted.services.uploading import arrivals
from videos.providers.exceptions import AssetNotFound, ProviderUnavailable, Rejected
from videos.services.errors import UploadOver

BLOCK_BYTES = 1024 * 1024


def receive_file(*, alias: str, host_id: str, file: IO[bytes], size_bytes: int) -> None:
    """Keep `file` for this copy in place of the upload that it was to come by, and have it prepared.

    Raises AssetNotFound when no upload waits, Rejected (`size_mismatch`) or ProviderUnavailable.
    """
    upload = _open_upload(alias, host_id)
    if upload.length != size_bytes:
        raise Rejected(f"{size_bytes} bytes came instead of {upload.length}.", code="size_mismatch")
    try:
        _keep(upload, file)
        arrivals.file_arrived(upload.pk, size=size_bytes)
    except StoreUnavailable as error:
        raise ProviderUnavailable(str(error)) from error
    except UploadOver as error:
        raise AssetNotFound() from error


def _open_upload(alias: str, host_id: str) -> Upload:
    try:
        public_id = UUID(hex=host_id)
    except ValueError:
        raise AssetNotFound() from None
    waiting = Upload.objects.filter(video__alias=alias, video__public_id=public_id, video__deleted_at=None)
    upload = waiting.select_related("video").filter(state=UploadState.OPEN).first()
    if upload is None:
        raise AssetNotFound()
    return upload


def _keep(upload: Upload, file: IO[bytes]) -> None:
    parts = host(upload.video.alias)
    store = parts.get_store()
    if upload.multipart_id and isinstance(store, BucketLike):
        store.abort_multipart(upload.key, upload.multipart_id)
    try:
        with work_folders.received_folder(parts) as folder:
            path = folder / "source"
            with path.open("wb") as copy:
                shutil.copyfileobj(file, copy, BLOCK_BYTES)
            store.put_file(upload.key, path, content_type=upload.content_type or "application/octet-stream")
    except OSError as error:
        raise StoreUnavailable(f"A file could not be kept: {error.strerror}") from error
