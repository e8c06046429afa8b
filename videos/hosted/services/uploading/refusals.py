"""Files that came whole, and cannot be made playable whatever is done."""

from django.db import transaction
from django.utils import timezone

from videos import conf
from videos.hosted.models import HostedVideo, Transcode, TranscodeState, Upload, UploadState


def refuse_file(upload_id: int, *, failure_code: str) -> None:
    """End an open upload and let its video have failed, for a reason of `videos.providers.failures`. Safe twice."""
    now = timezone.now()
    with transaction.atomic():
        video = HostedVideo.objects.select_for_update(no_key=True).get(uploads=upload_id)
        if not Upload.objects.filter(pk=upload_id, state=UploadState.OPEN).update(state=UploadState.ENDED):
            return
        Transcode.objects.create(
            video=video,
            state=TranscodeState.FAILED,
            preset=video.preset,
            failure_code=failure_code,
            finished_at=now,
            cleaned_at=now,
        )
        asset = video.get_asset()
        if asset is not None:
            conf.enqueue("videos.refresh_asset", asset.pk)
