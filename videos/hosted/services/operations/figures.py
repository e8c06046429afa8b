"""What a host of ours keeps, and what it is at."""

from django.db.models import Count, Q, Sum
from django.utils import timezone

from videos.hosted.models import (
    FAILED_BY_ITSELF,
    ContentKey,
    HostedVideo,
    KeyState,
    Licence,
    Package,
    PackageState,
    Transcode,
    TranscodeState,
)
from videos.hosted.services.licence_server.licence_limits import ISSUED
from videos.hosted.services.transcoding.transcodes import RUNNING
from videos.providers.types import HostStorage, Workload

_THERE = (PackageState.PUBLISHED, PackageState.RETIRED)


def storage(alias: str) -> HostStorage:
    """Originals and packages that are in the store, as far as their sizes were written down; four statements."""
    videos = HostedVideo.objects.filter(alias=alias, deleted_at=None)
    originals = HostedVideo.objects.filter(alias=alias, emptied_at=None).exclude(source_key="")
    packages = Package.objects.filter(video__alias=alias, state__in=_THERE)
    kept = originals.aggregate(size=Sum("source_bytes"))["size"] or 0
    made = packages.aggregate(size=Sum("size_bytes"))["size"] or 0
    played = videos.aggregate(seconds=Sum("package__duration_s"))["seconds"] or 0.0
    return HostStorage(stored_bytes=kept + made, stored_s=played, videos=videos.count())


def workload(alias: str) -> Workload:
    """Jobs, licences and keys of this host; four statements. A refused request that named no key counts too."""
    today = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    jobs = Transcode.objects.filter(video__alias=alias).order_by()
    running = dict(jobs.filter(state__in=RUNNING).values_list("state").annotate(number=Count("pk")))
    finished = jobs.filter(finished_at__gte=today).aggregate(
        completed=Count("pk", filter=Q(state=TranscodeState.COMPLETED)),
        failed=Count("pk", filter=FAILED_BY_ITSELF),
    )
    issued = Count("pk", filter=Q(result=ISSUED, key__video__alias=alias))
    errors = Count("pk", filter=~Q(result=ISSUED) & (Q(key__video__alias=alias) | Q(key=None)))
    licences = Licence.objects.filter(created_at__gte=today).aggregate(issued=issued, errors=errors)
    return Workload(
        jobs_waiting=running.get(TranscodeState.PENDING, 0),
        jobs_running=running.get(TranscodeState.PROCESSING, 0),
        jobs_completed_today=finished["completed"],
        jobs_failed_today=finished["failed"],
        licences_issued_today=licences["issued"],
        licence_errors_today=licences["errors"],
        revoked_keys=ContentKey.objects.filter(video__alias=alias, state=KeyState.REVOKED).count(),
    )
