"""What a worker does: one due step after the other, each recorded whole or not at all.

The process may die at every line: a step that was not recorded is taken again when its lease is over, and nothing that
it left in the store or on the disk is ever read.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from django.utils import timezone

from videos.hosted.hosts import HostParts, host
from videos.hosted.models import Package, Step, StepState, Transcode, TranscodeKind, TranscodeState
from videos.hosted.seams.encoder import EncodeFailed, EncodeInterrupted, Encoder, StepOrder, StepOutcome, StepWork
from videos.hosted.seams.keys import KeyStoreUnavailable
from videos.hosted.seams.store import FileMissing, StoreUnavailable
from videos.hosted.services.content_keys import keys
from videos.hosted.services.transcoding import publishing, recording, showing, transcodes, work_folders
from videos.hosted.services.transcoding.holding import LEFT_BEHIND, Pulse, StepLost, held, take
from videos.providers import failures
from videos.services.host_calls import give_connection_back

logger = logging.getLogger(__name__)

DEATHS_MAX = 10
"""How often a step is begun whose worker dies at it: workers also die of restarts, which say nothing of the file."""
_INTERRUPTIONS = (
    EncodeInterrupted,
    StoreUnavailable,
    FileMissing,
    KeyStoreUnavailable,
    publishing.KeyRevoked,
    OSError,
)


@dataclass(frozen=True, kw_only=True)
class _Tools:
    parts: HostParts
    encoder: Encoder
    schemes: tuple[str, ...]


def run_steps(transcode_id: int) -> None:
    """Do what is due of this job, one step after the other, beside other workers that do the same.

    Without the tools that it takes, the job stays as it is, says so to operators (`tools_missing`), and is looked at
    again every `step_retry_s`, for as long as it takes to install them.
    """
    transcode = Transcode.objects.select_related("video").filter(pk=transcode_id).first()
    if transcode is None or transcode.state not in transcodes.RUNNING:
        return
    parts = host(transcode.video.alias)
    encoder = parts.get_encoder()
    tools = _Tools(parts=parts, encoder=encoder, schemes=tuple(encoder.schemes()))
    work_folders.clear(parts)
    if not publishing.scheme_for(transcode.video, tools.schemes):
        _wait_for_tools(transcode, tools)
        return
    _begin(transcode)
    while step := take(transcode_id, lease_s=parts.step_lease_s):
        try:
            _attempt(step, tools)
        except StepLost:
            logger.info("Step %s was taken away from this worker, which leaves it as it is.", step.pk)


def _begin(transcode: Transcode) -> None:
    waiting = Transcode.objects.filter(pk=transcode.pk, state__in=transcodes.RUNNING)
    if waiting.exclude(state=TranscodeState.PROCESSING, failure_code="").update(
        state=TranscodeState.PROCESSING,
        failure_code="",
        failure_detail="",
        started_at=transcode.started_at or timezone.now(),
    ):
        showing.tell(transcode.video)


def _wait_for_tools(transcode: Transcode, tools: _Tools) -> None:
    detail = " ".join(tools.encoder.problems())[: transcodes.DETAIL_CHARS]
    again_at = timezone.now() + timedelta(seconds=tools.parts.step_retry_s)
    transcode.steps.filter(state=StepState.DUE).update(due_at=again_at)
    waiting = Transcode.objects.filter(pk=transcode.pk, state__in=transcodes.RUNNING)
    if waiting.exclude(failure_code=failures.TOOLS_MISSING, failure_detail=detail).update(
        failure_code=failures.TOOLS_MISSING, failure_detail=detail
    ):
        logger.error("Transcode %s waits for tools on this machine: %s", transcode.pk, detail)
        showing.tell(transcode.video)


def _attempt(step: Step, tools: _Tools) -> None:
    """Do one step and record what came of it; raises StepLost."""
    if step.attempts >= DEATHS_MAX:
        recording.fail(step, code=failures.HOST_FAILED, detail=f"{step}: {LEFT_BEHIND} That happened too often.")
        return
    try:
        _do(step, tools)
    except StepLost:
        raise
    except EncodeFailed as error:
        recording.fail(step, code=error.code, detail=str(error))
    except Exception as error:
        if not isinstance(error, _INTERRUPTIONS):
            logger.exception("Step %s of transcode %s met a defect.", step.pk, step.transcode_id)
        recording.again_or_fail(step, error, retry_s=tools.parts.step_retry_s)
    except BaseException:
        # The process was told to end: the next worker need not wait until the lease is over.
        held(step).update(state=StepState.DUE, lease_until=None)
        raise


def _do(step: Step, tools: _Tools) -> None:
    parts, package, size_bytes = tools.parts, None, 0
    with work_folders.work_folder(parts, step) as folder, Pulse(step, lease_s=parts.step_lease_s) as pulse:
        if tools.encoder.packages(step.kind):
            package = publishing.begin(step, scheme=publishing.scheme_for(step.transcode.video, tools.schemes))
        outcome = _run(tools.encoder, _work(step, parts, folder, package, pulse.progress))
        if package is not None and outcome.packaged is not None:
            size_bytes = publishing.put_files(package, outcome.packaged, parts.get_store(), between=pulse.check)
    give_connection_back()
    if outcome.again_in_s is not None:
        recording.look_again(step, outcome, package, share=pulse.share)
    else:
        recording.finish(step, tools.encoder, outcome, package, size_bytes=size_bytes)


def _run(encoder: Encoder, work: StepWork) -> StepOutcome:
    # Another connection is opened afterwards: a server may have closed one that was idle for hours.
    give_connection_back()
    return encoder.run(work)


def _work(
    step: Step, parts: HostParts, folder: Path, package: Package | None, progress: Callable[[float], None]
) -> StepWork:
    transcode = step.transcode
    video = transcode.video
    former = video.package if transcode.kind == TranscodeKind.REPACKAGE else None
    return StepWork(
        step=StepOrder(kind=step.kind, number=step.number, order=step.order, weight=step.weight),
        done=recording.done_steps(transcode, before_stage=step.stage),
        store=parts.get_store(),
        source_key=video.source_key,
        source_info=video.source_info,
        work_prefix=transcode.work_prefix,
        folder=folder,
        preset=transcode.preset,
        encryption=keys.encryption_of(package) if package else None,
        progress=progress,
        former_prefix=former.prefix if former else "",
        former_manifests=dict(former.manifests.values_list("name", "body")) if former else {},
        former_renditions=former.renditions if former else (),
        former_pictures=former.pictures if former else {},
        formerly=keys.encryption_of(former) if former else None,
    )
