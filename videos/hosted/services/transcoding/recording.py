"""What came of a step, written in one transaction that holds only while the step is still this worker's."""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from videos.hosted.models import Package, PackageState, Step, StepState, Transcode, TranscodeKind
from videos.hosted.seams.encoder import DoneStep, Encoder, StepOrder, StepOutcome
from videos.hosted.services.transcoding import publishing, showing, transcodes
from videos.hosted.services.transcoding.holding import StepLost, held
from videos.providers import failures

logger = logging.getLogger(__name__)

ATTEMPTS_MAX = 5
ERROR_CHARS = 1000
RETRY_SLOWEST_S = 3600


def finish(step: Step, encoder: Encoder, outcome: StepOutcome, package: Package | None, *, size_bytes: int = 0) -> None:
    """The step is done; with the last one of its stage the next stage begins, or the job ends.

    Raises StepLost or KeyRevoked.
    """
    now = timezone.now()
    with transaction.atomic():
        transcode = transcodes.lock(step.transcode_id)
        _release(step, state=StepState.DONE, outcome=dict(outcome.outcome), progress=1, last_error="", finished_at=now)
        _note_figures(transcode, step, now, size_bytes)
        if outcome.source_info is not None:
            transcode.video.source_info = dict(outcome.source_info)
            transcode.video.save(update_fields=["source_info"])
        if package is not None and outcome.packaged is not None:
            publishing.publish(transcode, package, outcome.packaged, size_bytes=size_bytes)
        if not transcode.steps.exclude(state=StepState.DONE).exists():
            _begin_next_stage(transcode, encoder)
    showing.show_progress(step.transcode_id)


def look_again(step: Step, outcome: StepOutcome, package: Package | None, *, share: float) -> None:
    """A service is still at the step: it is due again later, and that is no failed attempt. Raises StepLost."""
    due_at = timezone.now() + timedelta(seconds=outcome.again_in_s or 0)
    kept: dict[str, Any] = {publishing.KEPT: package.pk} if package is not None else {}
    _release(step, state=StepState.DUE, due_at=due_at, attempts=0, progress=share, outcome=kept, last_error="")
    showing.show_progress(step.transcode_id)


def again_or_fail(step: Step, error: Exception, *, retry_s: float) -> None:
    """The step was not done this time: it is due again after a while, or given up. Raises StepLost."""
    said = f"{type(error).__name__}: {error}"[:ERROR_CHARS]
    attempts = step.attempts + 1
    if attempts >= ATTEMPTS_MAX:
        fail(step, code=failures.HOST_FAILED, detail=f"{step.kind} {step.number}: {said}")
        return
    logger.warning("Step %s of transcode %s was not done: %s", step.pk, step.transcode_id, said)
    due_at = timezone.now() + timedelta(seconds=min(retry_s * 2**step.attempts, RETRY_SLOWEST_S))
    _release(step, state=StepState.DUE, due_at=due_at, attempts=attempts, outcome={}, last_error=said)


def fail(step: Step, *, code: str, detail: str) -> None:
    """The step can never be done, and with it the job. Raises StepLost."""
    with transaction.atomic():
        transcode = transcodes.lock(step.transcode_id)
        _release(step, state=StepState.FAILED, last_error=detail[:ERROR_CHARS], finished_at=timezone.now())
        transcodes.fail(transcode, code=code, detail=detail)


def done_steps(transcode: Transcode, *, before_stage: int) -> list[DoneStep]:
    """The steps of the earlier stages, in the order of stage, kind and number."""
    done = transcode.steps.filter(state=StepState.DONE, stage__lt=before_stage).order_by("stage", "kind", "number")
    return [DoneStep(kind=row.kind, number=row.number, order=row.order, outcome=row.outcome) for row in done]


def _release(step: Step, **values: Any) -> None:
    if not held(step).update(lease_until=None, **values):
        raise StepLost()


def _begin_next_stage(transcode: Transcode, encoder: Encoder) -> None:
    """Write the stage after the one that was just done; without one the job ends, well if its package is published."""
    orders: Sequence[StepOrder] = ()
    if transcode.kind == TranscodeKind.ENCODE:
        orders = encoder.next_steps(done_steps(transcode, before_stage=transcode.stage + 1), preset=transcode.preset)
    if orders:
        transcode.stage += 1
        transcode.save(update_fields=["stage"])
        transcodes.add_steps(transcode, orders)
    elif transcode.packages.filter(state=PackageState.PUBLISHED).exists():
        transcodes.complete(transcode)
    else:
        transcodes.fail(transcode, code=failures.HOST_FAILED, detail="The last step gave no package.")


def _note_figures(transcode: Transcode, step: Step, now: datetime, size_bytes: int) -> None:
    seconds = dict(transcode.figures.get("seconds", {}))
    took_s = (now - step.started_at).total_seconds() if step.started_at else 0.0
    seconds[step.kind] = round(seconds.get(step.kind, 0.0) + took_s, 3)
    transcode.figures = transcode.figures | {"seconds": seconds, "source_bytes": transcode.video.source_bytes}
    if size_bytes:
        transcode.figures["package_bytes"] = size_bytes
    transcode.save(update_fields=["figures"])
