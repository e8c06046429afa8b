"""The jobs of our own host as those who run the platform, or manage a video, see them."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from django.db.models import Prefetch, Q, QuerySet
from django.utils import timezone

from videos.hosted.models import FAILED_BY_ITSELF, Package, Step, StepState, Transcode
from videos.hosted.services.transcoding.transcodes import RUNNING
from videos.models import Asset, Video


def shown_transcodes() -> QuerySet[Transcode]:
    """Jobs, the latest first, `with_work`."""
    return with_work(Transcode.objects.order_by("-id"))


def with_work(transcodes: QuerySet[Transcode]) -> QuerySet[Transcode]:
    """The jobs with their video, what they do now (`running_steps`) and the packages they made (`made`)."""
    steps = Step.objects.filter(state=StepState.RUNNING)
    made = Package.objects.filter(published_at__isnull=False)
    prefetched = (Prefetch("steps", steps, to_attr="running_steps"), Prefetch("packages", made, to_attr="made"))
    return transcodes.select_related("video").prefetch_related(*prefetched)


def transcodes_of(video: Video) -> QuerySet[Transcode]:
    """The jobs of this video's copies at our own host."""
    copies = Q(pk__in=[])
    for alias, host_id in video.assets.values_list("provider", "host_id"):
        try:
            copies |= Q(video__alias=alias, video__public_id=UUID(hex=host_id))
        except ValueError:
            continue
    return shown_transcodes().filter(copies)


def running_and_failed(*, failed_within: timedelta) -> QuerySet[Transcode]:
    """Jobs under way, and those that failed lately."""
    failed = FAILED_BY_ITSELF & Q(finished_at__gte=timezone.now() - failed_within)
    return shown_transcodes().filter(Q(state__in=RUNNING) | failed)


def video_ids(transcodes: Sequence[Transcode]) -> dict[str, UUID]:
    """The ids in `videos` of the copies that these jobs are for, by the copies' ids; one statement."""
    host_ids = {transcode.video.host_id for transcode in transcodes}
    rows = Asset.objects.filter(host_id__in=host_ids).values_list("host_id", "video_id")
    return dict(rows)
