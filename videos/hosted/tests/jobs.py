"""Transcodes as tests need them: a video whose original is in the store, and a host with the small encoder."""

from datetime import timedelta
from pathlib import Path

from django.utils import timezone

from videos.hosted.hosts import host
from videos.hosted.models import Step, StepState, Transcode
from videos.hosted.services.transcoding import steps, transcodes
from videos.hosted.tests.conftest import hosted_entry
from videos.hosted.tests.making import make_hosted_video
from videos.hosted.tests.small_encoder import BACKEND, Behaviour

ORIGINAL = "a film"
RUNG: list[tuple[str, int]] = []


def ring(name: str, *args: int) -> None:
    """A VIDEO_ENQUEUE that keeps in `RUNG` what was asked for, at once."""
    RUNG.append((name, *args))


def use_small_encoder(settings, root: Path, **options) -> Behaviour:
    """The alias `hosted` with the small encoder; nothing runs until it is told to."""
    behaviour = Behaviour()
    entry = {"encoder": {"BACKEND": BACKEND, "OPTIONS": {"behaviour": behaviour}}} | options
    settings.VIDEO_PROVIDERS = {"hosted": hosted_entry(root, **entry)}
    settings.VIDEO_ROUTES = [{"use": ["hosted"]}]
    settings.VIDEO_ENQUEUE = "videos.hosted.tests.jobs.ring"
    RUNG.clear()
    return behaviour


def make_arrived_video(root: Path, **values):
    """A copy whose original came, and nothing more; gives (hosted, video)."""
    copy, video = make_hosted_video(**values)
    copy.source_key, copy.source_bytes = f"{copy.prefix}source", len(ORIGINAL)
    copy.save()
    path = root / f"original-{copy.pk}"
    path.write_text(ORIGINAL)
    host(copy.alias).get_store().put_file(copy.source_key, path)
    return copy, video


def make_finished_video(root: Path, **values):
    """A copy that was transcoded; gives (hosted, video)."""
    copy, video = make_arrived_video(root, **values)
    steps.run_steps(transcodes.start(video=copy).pk)
    copy.refresh_from_db()
    return copy, video


def files_of(copy) -> dict[str, str]:
    """The texts of all files of a copy, by their keys below its prefix."""
    store = host(copy.alias).get_store()
    return {key.removeprefix(copy.prefix): store.path_of(key).read_text() for key in store.keys(copy.prefix)}


def let_wait_pass(transcode: Transcode) -> None:
    """As if the backoff of its steps were over."""
    Step.objects.filter(transcode=transcode, state=StepState.DUE).update(due_at=timezone.now())


def let_lease_pass(step_id: int) -> None:
    """As if nothing were heard of the step's worker for long."""
    Step.objects.filter(pk=step_id).update(lease_until=timezone.now() - timedelta(seconds=1))
