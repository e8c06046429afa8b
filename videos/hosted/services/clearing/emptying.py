"""Removing files for good, and saying so in the rows only once they are gone."""

from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from videos.hosted.hosts import HostParts
from videos.hosted.models import HostedVideo, Manifest, Package, PackageState, Transcode, UploadKind
from videos.hosted.seams.store import Store, StoreUnavailable
from videos.hosted.services.content_keys import keys


def empty(store: Store, prefix: str) -> None:
    """Remove everything below `prefix`; raises StoreUnavailable while something is left."""
    if not prefix:
        raise ValueError("Every file of the store begins with the empty prefix.")
    store.delete_all(prefix)
    if next(iter(store.keys(prefix)), None) is not None:
        raise StoreUnavailable(f"Something is left below {prefix}.")


def empty_package(package: Package, parts: HostParts) -> None:
    """Remove the files of a dead package, and destroy its key unless another package uses it."""
    empty(parts.get_store(), package.prefix)
    with transaction.atomic():
        Manifest.objects.filter(package=package).delete()
        Package.objects.filter(pk=package.pk).update(state=PackageState.EMPTIED)
    if package.key is not None:
        keys.destroy(package.key)


def empty_video(video: HostedVideo, parts: HostParts, *, now: datetime) -> None:
    """Remove every file of a deleted copy, destroy its keys and empty its rows.

    The rows are settled only once a worker that does not know yet has had the time to find out; until then its files
    are removed again and again.
    """
    empty(parts.get_store(), video.prefix)
    if video.deleted_at is None or video.deleted_at > now - timedelta(seconds=parts.step_lease_s):
        return
    Manifest.objects.filter(package__video=video).delete()
    video.packages.exclude(state=PackageState.EMPTIED).update(state=PackageState.EMPTIED)
    for key in video.keys.exclude(wrapped=""):
        keys.destroy(key)
    video.transcodes.filter(cleaned_at=None).update(cleaned_at=now)
    # What lies at a bucket in parts is no file: `multipart.give_up_ended` sees to it.
    video.uploads.filter(emptied_at=None, kind=UploadKind.TUS).update(emptied_at=now)
    HostedVideo.objects.filter(pk=video.pk).update(emptied_at=now, source_key="", source_info={}, title="")


def clean(transcode: Transcode, parts: HostParts) -> None:
    """Remove the intermediate files of a job that ended."""
    empty(parts.get_store(), transcode.work_prefix)
    Transcode.objects.filter(pk=transcode.pk).update(cleaned_at=timezone.now())


def remove_source(video: HostedVideo, parts: HostParts) -> None:
    """Remove the original of a video that plays; nothing starts from it any more, as `transcodes.start` sees to."""
    empty(parts.get_store(), video.source_key)
    HostedVideo.objects.filter(pk=video.pk).update(source_key="")
