"""What happens once a file is at our host, whichever way it came."""

from django.db import transaction
from django.utils import timezone

from videos.hosted.models import HostedVideo, Transcode, TranscodeState, Upload, UploadState
from videos.hosted.services.transcoding import showing, transcodes
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


def _begin(upload: Upload, video: HostedVideo) -> None:
    video.source_bytes = upload.length
    if upload.length:
        video.source_key = upload.key
    video.save(update_fields=["source_key", "source_bytes"])
    if upload.length:
        transcodes.start(video=video)
    else:
        _fail_empty(video)


def _fail_empty(video: HostedVideo) -> None:
    now = timezone.now()
    Transcode.objects.create(
        video=video,
        state=TranscodeState.FAILED,
        preset=video.preset,
        failure_code=failures.EMPTY_FILE,
        finished_at=now,
        cleaned_at=now,
    )
    showing.tell(video)
