"""What a teacher chooses for a copy at our own host, and how far the work on it is."""

from collections.abc import Iterable

from django.contrib.auth import get_user_model
from django.db import transaction

from videos.hosted.hosts import host
from videos.hosted.models import HostedVideo, Preset, Step, StepState, Transcode, TranscodeState
from videos.hosted.services.operations.described import find
from videos.hosted.services.transcoding import transcodes
from videos.providers import failures
from videos.providers.types import Preparation, Protection

WAITING = "Waiting"
_WITHOUT_TOOLS = "Waiting for the tools that prepare videos, which this server lacks"
_OF_THE_FILE = {
    failures.NOT_A_VIDEO,
    failures.NO_VIDEO_TRACK,
    failures.EMPTY_FILE,
    failures.TOO_LONG,
    failures.TOO_SHORT,
}
_WORDS = {
    "probe": "Looking at the file",
    "video": "Encoding",
    "audio": "Encoding the sound",
    "pictures": "Making pictures",
    "package": "Packaging",
    "repackage": "Packaging under a new key",
    "encode": "Encoding",
}


def prepare_again(
    *, alias: str, host_id: str, quality: str | None, protection: Protection | None, requested_by: str = ""
) -> Transcode:
    """Start another transcode of a copy's original; None stays as it is, an empty quality is the usual one.

    Raises AssetNotFound, TranscodeRunning or SourceGone.
    """
    found = find(alias, host_id)
    person = get_user_model()._default_manager.filter(pk=requested_by).first() if requested_by else None
    with transaction.atomic():
        video = HostedVideo.objects.select_for_update(no_key=True).get(pk=found.pk)
        video.preset = video.preset if quality is None else quality or Preset.MEDIUM
        video.protection = protection or video.protection
        video.save(update_fields=["preset", "protection"])
        return transcodes.start(video=video, requested_by=person)


def preparation(alias: str, host_id: str) -> Preparation | None:
    """How far the latest transcode of a copy is; None while there is none. Raises AssetNotFound."""
    video = find(alias, host_id)
    latest = transcodes.latest(video)
    if latest is None:
        return None
    is_running = latest.state in transcodes.RUNNING
    is_kept = bool(video.source_key) and (video.package is None or host(alias).keeps_sources)
    may_help = not is_running and failure_code_of(latest) not in _OF_THE_FILE
    return Preparation(
        state=latest.state,  # type: ignore[arg-type]  # its values are those of the Literal
        step=words_of(latest, latest.steps.filter(state=StepState.RUNNING)) if is_running else "",
        progress_percent=latest.progress_percent,
        quality=latest.preset,
        protection=Protection(video.protection),
        can_start_again=is_kept and may_help,
        failure_code=failure_code_of(latest),
    )


def words_of(transcode: Transcode, running: Iterable[Step]) -> str:
    """What is done now, in words for people; empty once the job is over. `running` are its running steps."""
    if transcode.state not in transcodes.RUNNING:
        return ""
    if transcode.failure_code == failures.TOOLS_MISSING:
        return _WITHOUT_TOOLS
    kinds = [step.kind for step in running]
    if not kinds:
        return WAITING
    return _WORDS.get(kinds[0], kinds[0].replace("_", " ").capitalize())


def failure_code_of(transcode: Transcode) -> str:
    """Why the job failed, empty unless it did."""
    return (transcode.failure_code or failures.HOST_FAILED) if transcode.state == TranscodeState.FAILED else ""
