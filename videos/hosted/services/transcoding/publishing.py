"""From a step's files to the package that is played: begun before its first file is put, switched to in one moment."""

import logging
from collections.abc import Callable
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from videos.hosted.hosts import host
from videos.hosted.models import (
    ContentKey,
    HostedVideo,
    KeyState,
    Manifest,
    Package,
    PackageState,
    Scheme,
    Step,
    Transcode,
)
from videos.hosted.seams.encoder import Packaged
from videos.hosted.seams.store import Store
from videos.hosted.services.content_keys import keys
from videos.hosted.services.transcoding import transcodes
from videos.hosted.services.transcoding.holding import StepLost, require_held
from videos.providers.types import Protection

logger = logging.getLogger(__name__)

KEPT = "package"
"""In the outcome of a step that a service is still at: the package that it began."""


class KeyRevoked(Exception):
    """The key of a package was revoked while it was made, so that nobody could play it: again under another one."""


def begin(step: Step, *, scheme: str) -> Package:
    """A package to be built by this step, with a key of its own; packages of earlier attempts are given up.

    A step that was only looked at again goes on with the package that it began. Raises StepLost or
    KeyStoreUnavailable. Not to be called inside a transaction.
    """
    begun = Package.objects.filter(pk=step.outcome.get(KEPT), state=PackageState.BUILDING, scheme=scheme).first()
    if begun is not None:
        return begun
    video = step.transcode.video
    key = None if scheme == Scheme.OPEN else keys.create_key(video=video)
    try:
        with transaction.atomic():
            transcode = transcodes.lock(step.transcode_id)
            require_held(step)
            transcodes.abandon_packages(transcode)
            transcode.scheme = scheme
            transcode.save(update_fields=["scheme"])
            return Package.objects.create(video=transcode.video, transcode=transcode, key=key, scheme=scheme)
    except StepLost:
        if key is not None:
            keys.destroy(key)
        raise


def scheme_for(video: HostedVideo, schemes: tuple[str, ...]) -> str:
    """How a package of this video is encrypted, by its present protection; empty when `schemes` do not allow it."""
    if video.protection == Protection.OPEN:
        return Scheme.OPEN.value if schemes else ""
    return next((scheme for scheme in schemes if scheme != Scheme.OPEN), "")


def put_files(package: Package, packaged: Packaged, store: Store, *, between: Callable[[], None]) -> int:
    """Put the files of a package into the store, calling `between` before each; gives their bytes.

    Raises StoreUnavailable, and whatever `between` raises.
    """
    size_bytes = 0
    for name, content_type in packaged.files.items():
        between()
        path = packaged.folder / name
        size_bytes += path.stat().st_size
        store.put_file(package.prefix + name, path, content_type=content_type)
    return size_bytes


def publish(transcode: Transcode, package: Package, packaged: Packaged, *, size_bytes: int) -> None:
    """Let everybody who starts from now on play `package`; its files are in the store, the job is locked.

    Who plays the former one may go on for `retired_package_s`. Raises KeyRevoked.
    """
    _require_active_key(package)
    now = timezone.now()
    video = transcode.video
    Manifest.objects.bulk_create(
        Manifest(package=package, name=name, body=body) for name, body in packaged.manifests.items()
    )
    package.state, package.published_at, package.empty_at = PackageState.PUBLISHED, now, None
    package.renditions = [dict(rendition) for rendition in packaged.renditions]
    package.pictures = dict(packaged.pictures)
    package.duration_s, package.size_bytes = packaged.duration_s, size_bytes
    package.save()
    retire_packages(video, seconds=host(video.alias).retired_package_s, but=package)
    video.package = package
    video.save(update_fields=["package"])
    logger.info("Package %s of %s is published (%s).", package.pk, video.pk, package.scheme)


def _require_active_key(package: Package) -> None:
    """Locks the key until the commit: it is revoked before, which is seen here, or afterwards."""
    if package.key_id is None:
        return
    active = ContentKey.objects.select_for_update(no_key=True).filter(pk=package.key_id, state=KeyState.ACTIVE)
    if active.first() is None:
        raise KeyRevoked("The key of the package was revoked while it was made.")


def retire_packages(video: HostedVideo, *, seconds: float, but: Package | None = None) -> int:
    """Let no new viewing begin with the published packages of a locked video; their files go after `seconds`."""
    published = Package.objects.filter(video=video, state=PackageState.PUBLISHED)
    if but is not None:
        published = published.exclude(pk=but.pk)
    return published.update(state=PackageState.RETIRED, empty_at=timezone.now() + timedelta(seconds=seconds))
