"""What `videos` is told of a copy at our own host."""

from uuid import UUID

from videos.hosted.models import HostedVideo, Scheme, Transcode, TranscodeState
from videos.providers import failures
from videos.providers.exceptions import AssetNotFound
from videos.providers.types import AssetInfo, Protection, Status


def find(alias: str, host_id: str) -> HostedVideo:
    """The copy with this id, with its package and key; raises AssetNotFound, also for one that was deleted."""
    try:
        public_id = UUID(hex=host_id)
    except ValueError:
        raise AssetNotFound() from None
    videos = HostedVideo.objects.select_related("package__key")
    video = videos.filter(alias=alias, public_id=public_id, deleted_at=None).first()
    if video is None or video.host_id != host_id:
        raise AssetNotFound()
    return video


def describe(alias: str, host_id: str) -> AssetInfo:
    """The copy's state in the words of `videos`; raises AssetNotFound.

    A package that plays makes it ready, whatever became of later transcodes. `host_status` is the state of the latest
    transcode, empty while there is none, or why it waits (`tools_missing`).
    """
    video = find(alias, host_id)
    latest = video.transcodes.first()
    package = video.package
    if package is not None:
        status, failure_code = Status.READY, ""
    elif latest is None:
        status, failure_code = Status.WAITING, ""
    elif latest.state == TranscodeState.FAILED:
        status, failure_code = Status.FAILED, latest.failure_code or failures.HOST_FAILED
    else:
        status, failure_code = Status.PROCESSING, ""
    return AssetInfo(
        host_id=host_id,
        status=status,
        host_status=_host_status(latest),
        title=video.title,
        duration_s=package.duration_s if package else None,
        size_bytes=package.size_bytes if package else video.source_bytes,
        failure_code=failure_code,
        progress_percent=latest.progress_percent if latest else None,
        protection=protection_of(video),
        raw={
            "transcode": latest.public_id.hex if latest else None,
            "state": latest.state if latest else None,
            "scheme": package.scheme if package else None,
            "renditions": [row["name"] for row in package.renditions] if package else [],
        },
    )


def _host_status(latest: Transcode | None) -> str:
    if latest is None:
        return ""
    is_waiting = latest.failure_code and latest.state != TranscodeState.FAILED
    return latest.failure_code if is_waiting else latest.state


def protection_of(video: HostedVideo) -> Protection:
    """What the package that plays really has, before there is one what the copy is to have."""
    if video.package is None:
        return Protection(video.protection)
    return Protection.OPEN if video.package.scheme == Scheme.OPEN else Protection.ENCRYPTED
