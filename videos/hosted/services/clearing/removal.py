"""Deleting a copy: at once for everybody who would play it; its files and keys go with the next sweep."""

from uuid import UUID

from django.db import transaction
from django.utils import timezone

from videos.hosted.models import HostedVideo, Transcode, UploadState
from videos.hosted.services.transcoding import publishing, transcodes
from videos.providers import failures


def delete(*, alias: str, host_id: str) -> None:
    """Let nothing of this copy play, stop the work on it, and leave the rest to the sweep; one already gone is fine."""
    try:
        public_id = UUID(hex=host_id)
    except ValueError:
        return
    with transaction.atomic():
        rows = HostedVideo.objects.filter(alias=alias, public_id=public_id, deleted_at=None)
        video = rows.select_for_update(no_key=True).first()
        if video is None:
            return
        video.deleted_at, video.package = timezone.now(), None
        video.save(update_fields=["deleted_at", "package"])
        _stop(video)
        video.uploads.filter(state=UploadState.OPEN).update(state=UploadState.ENDED)
        publishing.retire_packages(video, seconds=0)


def _stop(video: HostedVideo) -> None:
    running = Transcode.objects.filter(video=video, state__in=transcodes.RUNNING)
    for transcode_id in running.values_list("pk", flat=True):
        transcodes.fail(transcodes.lock(transcode_id), code=failures.DELETED, detail="The copy was deleted.")
