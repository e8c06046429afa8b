"""Jobs that make packages: how they begin and end. The work is done in `steps`."""

import logging
from collections.abc import Iterable
from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Min
from django.utils import timezone

from videos import conf
from videos.hosted.hosts import HostParts, host
from videos.hosted.models import (
    HostedVideo,
    Package,
    PackageState,
    Step,
    StepState,
    Transcode,
    TranscodeKind,
    TranscodeState,
)
from videos.hosted.seams.encoder import StepOrder
from videos.hosted.services.transcoding import showing
from videos.services.errors import SourceGone, TranscodeRunning

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

logger = logging.getLogger(__name__)

RUNNING = (TranscodeState.PENDING, TranscodeState.PROCESSING)
DETAIL_CHARS = 2000
DOORBELLS_MAX = 16


def start(
    *,
    video: HostedVideo,
    kind: str = TranscodeKind.ENCODE,
    preset: str = "",
    requested_by: "AbstractBaseUser | None" = None,
) -> Transcode:
    """Begin to make a package of the original, or with `REPACKAGE` another one of the package that plays.

    The job and its first steps are written in the caller's transaction. Whatever plays now plays on. Raises
    TranscodeRunning, or SourceGone when what it would start from is not kept.
    """
    parts = host(video.alias)
    encoder = parts.get_encoder()
    with transaction.atomic():
        locked = HostedVideo.objects.select_for_update(no_key=True).get(pk=video.pk)
        _require_source(locked, kind, parts)
        if locked.transcodes.filter(state__in=RUNNING).exists():
            raise TranscodeRunning()
        transcode = Transcode(video=locked, kind=kind, preset=preset or locked.preset)
        transcode.requested_by_id = None if requested_by is None else requested_by.pk
        transcode.save()
        is_repackaging = kind == TranscodeKind.REPACKAGE
        add_steps(
            transcode, encoder.repackage_steps() if is_repackaging else encoder.first_steps(preset=transcode.preset)
        )
        showing.tell(locked)
    return transcode


def retry(*, transcode: Transcode, requested_by: "AbstractBaseUser | None" = None) -> Transcode:
    """Begin once more what `transcode` was to do; raises TranscodeRunning or SourceGone."""
    return start(video=transcode.video, kind=transcode.kind, preset=transcode.preset, requested_by=requested_by)


def latest(video: HostedVideo) -> Transcode | None:
    """The last job of this video that was begun."""
    return video.transcodes.order_by("-id").first()


def waiting(*, most: int) -> list[int]:
    """The ids of jobs with a step to be done now, the one that waits longest first."""
    due = Step.objects.to_take(timezone.now()).filter(transcode__state__in=RUNNING).order_by()
    jobs = due.values("transcode").annotate(since=Min("due_at")).order_by("since", "transcode")
    return list(jobs.values_list("transcode", flat=True)[:most])


def lock(transcode_id: int) -> Transcode:
    """The job and its video, both locked, the video first as everybody does; inside a transaction."""
    video_id = Transcode.objects.values_list("video_id", flat=True).get(pk=transcode_id)
    video = HostedVideo.objects.select_for_update(no_key=True).get(pk=video_id)
    transcode = Transcode.objects.select_for_update(no_key=True).get(pk=transcode_id)
    transcode.video = video
    return transcode


def add_steps(transcode: Transcode, orders: Iterable[StepOrder]) -> None:
    """Write the steps of the present stage and call a worker for each of them, by the caller's commit."""
    steps = Step.objects.bulk_create(
        Step(
            transcode=transcode,
            stage=transcode.stage,
            kind=order.kind,
            number=order.number,
            order=dict(order.order),
            weight=order.weight,
        )
        for order in orders
    )
    for _ in steps[:DOORBELLS_MAX]:
        conf.enqueue("videos.hosted.run_steps", transcode.pk)


def complete(transcode: Transcode) -> None:
    """End a locked job whose package is published."""
    transcode.state, transcode.progress_percent = TranscodeState.COMPLETED, 100
    transcode.failure_code = transcode.failure_detail = ""
    transcode.finished_at = timezone.now()
    transcode.save(update_fields=["state", "progress_percent", "failure_code", "failure_detail", "finished_at"])
    showing.tell(transcode.video)


def fail(transcode: Transcode, *, code: str, detail: str) -> None:
    """End a locked job without a package; what its other workers still do counts no more.

    `code` is one of `videos.providers.failures`, `detail` is for operators.
    """
    now = timezone.now()
    logger.warning("Transcode %s of %s failed: %s: %s", transcode.pk, transcode.video_id, code, detail)
    transcode.state, transcode.finished_at = TranscodeState.FAILED, now
    transcode.failure_code, transcode.failure_detail = code, detail[:DETAIL_CHARS]
    transcode.save(update_fields=["state", "finished_at", "failure_code", "failure_detail"])
    transcode.steps.filter(state__in=[StepState.DUE, StepState.RUNNING]).update(
        state=StepState.FAILED, finished_at=now, lease_until=None
    )
    abandon_packages(transcode)
    showing.tell(transcode.video)


def refuse_file(video: HostedVideo, *, code: str) -> None:
    """Write down that nothing can be made of the file that came, whatever is done, in the caller's transaction.

    `code` is one of `videos.providers.failures`.
    """
    now = timezone.now()
    Transcode.objects.create(
        video=video,
        state=TranscodeState.FAILED,
        preset=video.preset,
        failure_code=code,
        finished_at=now,
        cleaned_at=now,
    )
    showing.tell(video)


def abandon_packages(transcode: Transcode) -> int:
    """Give up the packages that this job was building.

    Their files go once a worker that does not know yet has had the time to find out.
    """
    wait = timedelta(seconds=host(transcode.video.alias).step_lease_s)
    building = Package.objects.filter(transcode=transcode, state=PackageState.BUILDING)
    return building.update(state=PackageState.ABANDONED, empty_at=timezone.now() + wait)


def _require_source(video: HostedVideo, kind: str, parts: HostParts) -> None:
    if kind == TranscodeKind.REPACKAGE:
        is_there = video.package_id is not None
    else:
        # An original that is not kept goes some time after the package was published.
        is_there = bool(video.source_key) and (parts.keeps_sources or video.package_id is None)
    if video.deleted_at is not None or not is_there:
        raise SourceGone()
