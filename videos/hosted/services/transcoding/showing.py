"""Having the copy's row in `videos`, which is what people see, follow what happens here."""

from django.db.models import F, FloatField, Sum
from django.utils import timezone

from videos import conf
from videos.hosted.models import HostedVideo, Step, Transcode, TranscodeKind, TranscodeState
from videos.models import Asset, AssetStatus
from videos.services.assets import refresh_asset

ALMOST = 99
"""Percent shown at most until the package is published."""
FIRST = 1


def tell(video: HostedVideo) -> None:
    """Have the copy's row asked about again, by the caller's commit; the poll sees to it should the message be lost."""
    rows = Asset.objects.filter(provider=video.alias, host_id=video.host_id).exclude(status=AssetStatus.DELETED)
    for asset_id in rows.values_list("pk", flat=True):
        Asset.objects.filter(pk=asset_id).update(next_poll_at=timezone.now(), poll_attempts=0)
        conf.enqueue("videos.refresh_asset", asset_id)


def show_progress(transcode_id: int) -> None:
    """Take the progress of the steps over, and show it where it grew; writes nothing otherwise."""
    percent = percent_of(transcode_id)
    running = Transcode.objects.filter(pk=transcode_id, state=TranscodeState.PROCESSING)
    if not running.filter(progress_percent__lt=percent).update(progress_percent=percent):
        return
    asset = Transcode.objects.select_related("video").get(pk=transcode_id).video.get_asset()
    if asset is not None:
        refresh_asset(asset.pk)


def percent_of(transcode_id: int) -> int:
    """How much of the work is done, by weight, 0 to 99; 1 at most in the first stage, which finds out how much."""
    job = Transcode.objects.only("kind", "stage").get(pk=transcode_id)
    most = FIRST if job.kind == TranscodeKind.ENCODE and job.stage == 0 else ALMOST
    sums = Step.objects.filter(transcode=transcode_id).aggregate(
        known=Sum("weight"), done=Sum(F("weight") * F("progress"), output_field=FloatField())
    )
    share = (sums["done"] or 0.0) / (sums["known"] or 1.0)
    return max(0, min(most, int(share * (ALMOST + 1))))
