"""Files on their way to our own host: begun, found again by their address, and ended."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from videos.hosted.hosts import host
from videos.hosted.models import HostedVideo, Preset, Upload, UploadKind, UploadState
from videos.hosted.seams.store import StoreUnavailable
from videos.hosted.services.uploading import growing
from videos.hosted.stores.local import LocalStore
from videos.models import Asset, Protection
from videos.providers.exceptions import ProviderMisconfigured, ProviderUnavailable, Rejected
from videos.providers.registry import providers
from videos.providers.types import UploadRequest
from videos.services.errors import UploadNotFound, UploadOver

END_BATCH = 100


def open_upload(*, alias: str, request: UploadRequest) -> Upload:
    """A new copy that waits for its file, and the upload that takes it; gives the upload.

    Raises Rejected: `size_required`, or `file_too_large` for more than the host's `upload_max_bytes`; and
    ProviderUnavailable when the disk has no room for it.
    """
    parts = host(alias)
    size = request.size_bytes
    if size is None:
        raise Rejected(f"{alias}: the size of the file must be known.", code="size_required")
    if size > parts.upload_max_bytes:
        raise Rejected(f"Files are limited to {parts.upload_max_bytes} bytes.", code="file_too_large")
    store = parts.get_store()
    if isinstance(store, LocalStore):
        _require_room(store, size)
    video = HostedVideo(
        alias=alias,
        title=request.title,
        protection=Protection(providers[alias].protection_for(request.protection or "")),
        preset=Preset(request.quality or Preset.MEDIUM),
        source_name=request.filename,
    )
    upload = Upload(
        video=video,
        kind=UploadKind.TUS if isinstance(store, LocalStore) else UploadKind.MULTIPART,
        key=f"{video.prefix}source",
        length=size,
        content_type=request.content_type,
        expires_at=timezone.now() + timedelta(seconds=parts.upload_ttl_s),
    )
    with transaction.atomic():
        video.save(force_insert=True)
        upload.save(force_insert=True)
    return upload


def _require_room(store: LocalStore, size: int) -> None:
    try:
        free = store.free_bytes()
    except StoreUnavailable as error:
        raise ProviderUnavailable(str(error)) from error
    if size > free:
        raise ProviderUnavailable(f"{store.root} has room for {free} bytes, and {size} were announced.")


def find_upload(public_id: UUID, secret: str) -> Upload:
    """The upload with this id and secret, and its video; raises UploadNotFound, which tells nobody what was wrong."""
    upload = Upload.objects.select_related("video").filter(public_id=public_id).first()
    if not constant_time_compare(upload.secret if upload else "", secret) or upload is None:
        raise UploadNotFound()
    return upload


def require_usable(upload: Upload) -> None:
    """Raise UploadOver unless the upload is complete or may still go on."""
    is_late = upload.state == UploadState.OPEN and upload.expires_at < timezone.now()
    if is_late or upload.state == UploadState.ENDED or upload.video.deleted_at is not None:
        raise UploadOver()


def prolong(upload: Upload) -> None:
    """Move the end of an upload that goes on: a host's `upload_ttl_s` counts from the last bytes, give or take a tenth.

    Whoever waits for the file (`videos.Asset`) is told.
    """
    ttl = timedelta(seconds=host(upload.video.alias).upload_ttl_s)
    now = timezone.now()
    if upload.expires_at > now + ttl * 0.9:
        return
    upload.expires_at = now + ttl
    Upload.objects.filter(pk=upload.pk).update(expires_at=upload.expires_at)
    copies = Asset.objects.filter(provider=upload.video.alias, host_id=upload.video.host_id)
    copies.update(upload_expires_at=upload.expires_at)


def end_upload(upload: Upload) -> bool:
    """Give up an upload that is not complete, with what came of it; gives whether it was open until now."""
    is_ended = Upload.objects.filter(pk=upload.pk, state=UploadState.OPEN).update(state=UploadState.ENDED)
    if is_ended:
        remove_bytes(upload)
    return bool(is_ended)


def end_overdue() -> int:
    """Give up the oldest hundred uploads whose time is over; gives how many.

    Also removes what a process that died in the middle of this has left.
    """
    now = timezone.now()
    overdue = Upload.objects.overdue(now).select_related("video").order_by("expires_at")[:END_BATCH]
    ended = sum(_end_if_overdue(upload, now) for upload in overdue)
    left = Upload.objects.filter(state=UploadState.ENDED, kind=UploadKind.TUS, emptied_at=None)
    for upload in left.filter(video__alias__in=tus_aliases()).select_related("video").order_by("pk")[:END_BATCH]:
        remove_bytes(upload)
    return ended


def remove_bytes(upload: Upload) -> None:
    """Remove what came of a dead upload through this server; a multipart one is given up at its bucket elsewhere."""
    if upload.kind != UploadKind.TUS or upload.video.alias not in tus_aliases():
        return
    growing.settle(local_store(upload).path_of(upload.key), keep=False)
    Upload.objects.filter(pk=upload.pk).update(emptied_at=timezone.now())


def local_store(upload: Upload) -> LocalStore:
    """The folder an upload grows in; raises ProviderMisconfigured when its host has none, or none any more."""
    store = host(upload.video.alias).get_store()
    if not isinstance(store, LocalStore):
        raise ProviderMisconfigured(f'"{upload.video.alias}" keeps its files in no folder of this machine.')
    return store


def tus_aliases() -> list[str]:
    """The hosts of ours that take uploads through this server, in the order of VIDEO_PROVIDERS."""
    return [alias for alias in providers if _keeps_files_here(alias)]


def _keeps_files_here(alias: str) -> bool:
    try:
        return isinstance(host(alias).get_store(), LocalStore)
    except ProviderMisconfigured:
        return False


def _end_if_overdue(upload: Upload, now: datetime) -> int:
    still = Upload.objects.overdue(now).filter(pk=upload.pk)
    ended = still.update(state=UploadState.ENDED)
    if ended:
        remove_bytes(upload)
    return ended
