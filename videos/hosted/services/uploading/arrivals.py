"""What happens once a file is at our host, whichever way it came."""

from django.db import transaction
from django.utils import timezone

from videos.hosted.models import HostedVideo, Upload, UploadState
from videos.hosted.services.transcoding import transcodes
from videos.providers import failures
from videos.services.errors import UploadOver


def file_arrived(upload_id: int, *, size: int) -> None:
    """Take the file of an upload for whole, and start what makes it playable; `size` in bytes. Safe twice.

    An empty file is a failure that whoever manages the video reads. Raises UploadOver for an upload that was ended, or
    whose video was deleted meanwhile.
    """
    now = timezone.now()
    with transaction.atomic():
        video = HostedVideo.objects.select_for_update(no_key=True).get(uploads=upload_id)
        upload = Upload.objects.select_for_update(no_key=True).get(pk=upload_id)
        if upload.state == UploadState.COMPLETED:
            return
        if upload.state == UploadState.ENDED or video.deleted_at is not None:
            raise UploadOver()
        upload.state, upload.completed_at = UploadState.COMPLETED, now
        upload.length = upload.offset = size
        upload.save(update_fields=["state", "completed_at", "length", "offset"])
        _begin(upload, video)


def refuse_file(upload_id: int, *, failure_code: str) -> None:
    """End an open upload and let its video have failed, for a reason of `videos.providers.failures`. Safe twice."""
    with transaction.atomic():
        video = HostedVideo.objects.select_for_update(no_key=True).get(uploads=upload_id)
        if Upload.objects.filter(pk=upload_id, state=UploadState.OPEN).update(state=UploadState.ENDED):
            transcodes.refuse_file(video, code=failure_code)


def _begin(upload: Upload, video: HostedVideo) -> None:
    video.source_bytes = upload.length
    if upload.length:
        video.source_key = upload.key
    video.save(update_fields=["source_key", "source_bytes"])
    if upload.length:
        transcodes.start(video=video)
    else:
        transcodes.refuse_file(video, code=failures.EMPTY_FILE)
