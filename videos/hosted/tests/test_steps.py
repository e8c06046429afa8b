import errno
import logging
import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from videos.hosted.hosts import host
from videos.hosted.models import ContentKey, Package, Step, StepState, Transcode
from videos.hosted.seams.encoder import EncodeFailed, EncodeInterrupted, StepOutcome
from videos.hosted.seams.keys import KeyStoreUnavailable
from videos.hosted.seams.store import FileMissing, StoreUnavailable
from videos.hosted.services.clearing import removal
from videos.hosted.services.operations import described
from videos.hosted.services.transcoding import showing, steps, transcodes
from videos.hosted.services.transcoding.holding import Pulse, StepLost, take
from videos.hosted.services.transcoding.work_folders import left_folders
from videos.hosted.tests.conftest import KEK
from videos.hosted.tests.faulty_store import SLOW_KEYS
from videos.hosted.tests.jobs import (
    RUNG,
    files_of,
    let_lease_pass,
    let_wait_pass,
    make_arrived_video,
    use_small_encoder,
)
from videos.providers import failures
from videos.services.assets import refresh_asset


@pytest.fixture
def behaviour(settings, tmp_path):
    return use_small_encoder(settings, tmp_path)


@pytest.fixture
def job(behaviour, tmp_path):
    copy, _ = make_arrived_video(tmp_path)
    return transcodes.start(video=copy)


def raising(error):
    def raise_it(work):
        raise error

    return raise_it


def kinds(behaviour):
    return [work.step.kind for work in behaviour.seen]


@pytest.mark.django_db
def test_what_can_never_be_done_fails_the_job_with_its_reason(behaviour, job, tmp_path):
    behaviour.at["encode"] = raising(EncodeFailed(failures.UNREADABLE, "no frame could be decoded"))
    steps.run_steps(job.pk)
    job.refresh_from_db()
    assert (job.state, job.failure_code) == ("failed", "unreadable")
    assert job.failure_detail == "no frame could be decoded"
    assert job.finished_at is not None
    assert [step.state for step in job.steps.all()] == ["done", "failed", "failed"]
    asset = job.video.get_asset()
    assert ("videos.refresh_asset", asset.pk) in RUNG
    refresh_asset(asset.pk)
    asset.refresh_from_db()
    assert (asset.status, asset.failure_reason) == ("failed", failures.reason_of("unreadable"))


@pytest.mark.django_db
@pytest.mark.parametrize(
    "error",
    [
        EncodeInterrupted("ffmpeg was killed"),
        StoreUnavailable("the bucket did not do it"),
        FileMissing("a/source"),
        KeyStoreUnavailable("KMS is down"),
        OSError(errno.ENOSPC, "No space left on device"),
        RuntimeError("a defect of ours"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_was_not_done_is_tried_five_times_with_growing_pauses(behaviour, job, caplog, error):
    behaviour.at["package"] = raising(error)
    pauses = []
    for _ in range(5):
        steps.run_steps(job.pk)
        steps.run_steps(job.pk)
        waiting = job.steps.filter(state="due").first()
        if waiting:
            pauses.append(round((waiting.due_at - timezone.now()).total_seconds(), -1))
        let_wait_pass(job)
    job.refresh_from_db()
    assert pauses == [60, 120, 240, 480]
    assert (job.state, job.failure_code, kinds(behaviour).count("package")) == ("failed", "host_failed", 5)
    assert type(error).__name__ in job.failure_detail
    assert job.steps.get(kind="package").last_error == job.failure_detail
    assert {package.state for package in job.packages.all()} == {"abandoned"}
    has_traceback = any(record.exc_info for record in caplog.records)
    assert has_traceback == isinstance(error, RuntimeError)


@pytest.mark.django_db
def test_a_job_that_failed_at_first_goes_on_from_the_step_that_failed(behaviour, job):
    behaviour.at["package"] = raising(EncodeInterrupted("once"))
    steps.run_steps(job.pk)
    behaviour.at.clear()
    let_wait_pass(job)
    steps.run_steps(job.pk)
    job.refresh_from_db()
    assert (job.state, kinds(behaviour)) == ("completed", ["probe", "encode", "encode", "package", "package"])
    assert sorted(package.state for package in job.packages.all()) == ["abandoned", "published"]


@pytest.mark.django_db
def test_a_service_that_is_still_at_it_is_asked_again_and_keeps_its_package(behaviour, job):
    behaviour.at["package"] = lambda work: StepOutcome(again_in_s=600)
    for _ in range(8):
        steps.run_steps(job.pk)
        waiting = job.steps.get(kind="package")
        assert (waiting.state, waiting.attempts) == ("due", 0)
        assert waiting.due_at > timezone.now() + timedelta(seconds=500)
        let_wait_pass(job)
    behaviour.at.clear()
    steps.run_steps(job.pk)
    job.refresh_from_db()
    assert job.state == "completed"
    assert [package.state for package in job.packages.all()] == ["published"]
    assert ContentKey.objects.count() == 1
    assert len({work.encryption.key for work in behaviour.seen if work.encryption}) == 1


@pytest.mark.django_db
def test_a_worker_whose_step_was_taken_changes_nothing(behaviour, job):
    """The first worker sleeps just before it packages; the second does it all; then the first wakes up."""

    def sleep_through_the_lease(work):
        behaviour.at.clear()
        let_lease_pass(job.steps.get(kind="package").pk)
        steps.run_steps(job.pk)
        rows.extend(Step.objects.order_by("pk").values())

    rows = []
    behaviour.at["package"] = sleep_through_the_lease
    steps.run_steps(job.pk)
    job.refresh_from_db()
    job.video.refresh_from_db()
    assert list(Step.objects.order_by("pk").values()) == rows
    assert (job.state, job.steps.get(kind="package").fence) == ("completed", 2)
    first, second = Package.objects.order_by("pk")
    assert (first.state, second.state, job.video.package) == ("abandoned", "published", second)
    assert not first.manifests.exists()
    assert files_of(job.video)[f"p/{second.public_id.hex}/v.txt"].startswith("0:a film|1:a film#")


@pytest.mark.django_db
def test_a_job_whose_copy_is_deleted_stops(behaviour, job):
    behaviour.at["encode"] = lambda work: removal.delete(alias="hosted", host_id=job.video.host_id)
    steps.run_steps(job.pk)
    job.refresh_from_db()
    assert (job.state, job.failure_code, kinds(behaviour)) == ("failed", "deleted", ["probe", "encode"])


@pytest.mark.django_db
def test_a_key_made_for_a_step_that_was_lost_meanwhile_is_destroyed(settings, tmp_path):
    """The key store takes its time, and the copy is deleted before it answers."""
    meanwhile = []
    options = {"keys": {"kek-1": KEK}, "meanwhile": meanwhile}
    behaviour = use_small_encoder(settings, tmp_path, key_store={"BACKEND": SLOW_KEYS, "OPTIONS": options})
    copy, _ = make_arrived_video(tmp_path)
    meanwhile.append(lambda: removal.delete(alias="hosted", host_id=copy.host_id))
    steps.run_steps(transcodes.start(video=copy).pk)
    assert kinds(behaviour) == ["probe", "encode", "encode"]
    assert not Package.objects.exists()
    assert [key.wrapped for key in ContentKey.objects.all()] == [""]


@pytest.mark.django_db
def test_a_step_whose_workers_die_at_it_is_given_up_in_the_end(behaviour, job):
    for deaths in range(11):
        step = take(job.pk, lease_s=60)
        assert step is not None, deaths
        let_lease_pass(step.pk)
    assert step.attempts == 10
    steps.run_steps(job.pk)
    job.refresh_from_db()
    assert (job.state, job.failure_code, behaviour.seen) == ("failed", "host_failed", [])
    assert "not heard of" in job.failure_detail


@pytest.mark.django_db
def test_a_worker_that_is_told_to_end_leaves_its_step_to_the_next_at_once(behaviour, job, hosted_work):
    behaviour.at["encode"] = raising(SystemExit())
    with pytest.raises(SystemExit):
        steps.run_steps(job.pk)
    left = job.steps.get(kind="encode", number=0)
    assert (left.state, left.lease_until, left.attempts) == ("due", None, 0)
    assert list(hosted_work.iterdir()) == []
    behaviour.at.clear()
    steps.run_steps(job.pk)
    job.refresh_from_db()
    assert job.state == "completed"


@pytest.fixture
def hosted_work(tmp_path):
    return tmp_path / "work"


@pytest.mark.django_db
def test_a_working_folder_is_private_and_goes_with_its_step(behaviour, job, hosted_work):
    modes = []
    behaviour.at["encode"] = lambda work: modes.append(work.folder.stat().st_mode & 0o777)
    (hosted_work / "step-1-99").mkdir(parents=True)
    (hosted_work / "of somebody else").mkdir()
    steps.run_steps(job.pk)
    assert modes == [0o700, 0o700]
    assert [path.name for path in hosted_work.iterdir()] == ["of somebody else"]


@pytest.mark.django_db
@pytest.mark.parametrize("schemes", [(), ("open",)], ids=["none", "none that encrypts"])
def test_without_tools_a_job_waits_and_says_why(behaviour, job, caplog, schemes):
    behaviour.schemes = schemes
    for _ in range(3):
        steps.run_steps(job.pk)
        let_wait_pass(job)
    job.refresh_from_db()
    assert (job.state, job.failure_code, job.failure_detail) == ("pending", "tools_missing", "The packager is missing.")
    info = described.describe("hosted", job.video.host_id)
    assert (info.status, info.host_status, info.failure_code) == ("processing", "tools_missing", "")
    assert [record.levelno for record in caplog.records].count(logging.ERROR) == 1
    behaviour.schemes = ("aes128",)
    steps.run_steps(job.pk)
    job.refresh_from_db()
    assert (job.state, job.scheme, job.failure_code, job.failure_detail) == ("completed", "aes128", "", "")


@pytest.mark.django_db
def test_progress_is_weighted(behaviour, job):
    seen = []

    def note(work):
        seen.append((work.step.kind, Transcode.objects.get(pk=job.pk).progress_percent))

    behaviour.at = {"probe": note, "encode": note, "package": note}
    steps.run_steps(job.pk)
    assert seen == [("probe", 0), ("encode", 11), ("encode", 55), ("package", 90)]


@pytest.mark.django_db
def test_work_that_turns_out_to_be_more_than_was_known_takes_no_progress_back(behaviour, job):
    Transcode.objects.filter(pk=job.pk).update(state="processing", stage=1, progress_percent=70)
    job.steps.create(stage=1, kind="encode", progress=0.4)
    showing.show_progress(job.pk)
    assert Transcode.objects.get(pk=job.pk).progress_percent == 70
    job.steps.filter(kind="encode").update(progress=0.9)
    showing.show_progress(job.pk)
    assert Transcode.objects.get(pk=job.pk).progress_percent == 81
    assert job.video.get_asset().progress_percent == 81


@pytest.mark.django_db(transaction=True)
def test_two_workers_share_the_steps_of_a_stage(behaviour, job):
    """Neither could pass the barrier alone."""
    together = threading.Barrier(2)
    behaviour.at["encode"] = lambda work: together.wait(20) and None

    def work() -> None:
        try:
            steps.run_steps(job.pk)
        finally:
            connection.close()

    workers = [threading.Thread(target=work) for _ in range(2)]
    workers[0].start()
    wait_until(lambda: Step.objects.filter(kind="encode").exists())
    workers[1].start()
    for worker in workers:
        worker.join(30)
    job.refresh_from_db()
    assert job.state == "completed"
    assert sorted(kinds(behaviour)) == ["encode", "encode", "package", "probe"]


@pytest.mark.django_db(transaction=True)
def test_a_step_that_takes_long_keeps_its_lease_and_shows_its_progress(behaviour, job, settings):
    settings.VIDEO_PROVIDERS["hosted"]["OPTIONS"]["step_lease_s"] = 0.3
    behaviour.parts = 1

    def work_on(work):
        work.progress(0.5)
        until = timezone.now() + timedelta(seconds=0.6)
        wait_until(lambda: Step.objects.filter(kind="encode", lease_until__gt=until, progress=0.5).exists())
        wait_until(lambda: job.video.get_asset().progress_percent == 55)
        assert take(job.pk, lease_s=9) is None

    behaviour.at["encode"] = work_on
    steps.run_steps(job.pk)
    job.refresh_from_db()
    assert (job.state, job.steps.get(kind="encode").fence) == ("completed", 1)


@pytest.mark.django_db(transaction=True)
def test_a_worker_finds_out_that_its_step_is_gone(behaviour, job):
    step = take(job.pk, lease_s=60)
    with Pulse(step, lease_s=0.3) as pulse:
        pulse.progress(0.2)
        Step.objects.filter(pk=step.pk).update(state=StepState.FAILED)
        wait_until(lambda: lost(pulse))


def lost(pulse) -> bool:
    try:
        pulse.check()
    except StepLost:
        return True
    return False


def wait_until(is_so) -> None:
    deadline = timezone.now() + timedelta(seconds=20)
    while not is_so():
        assert timezone.now() < deadline
        threading.Event().wait(0.02)


@pytest.mark.django_db
def test_folders_of_steps_that_are_worked_on_stay(behaviour, job, hosted_work):
    step = take(job.pk, lease_s=60)
    for name in (f"step-{step.pk}-{step.fence}", f"step-{step.pk}-{step.fence + 1}", "step-999-1"):
        (hosted_work / name).mkdir(parents=True)
    left = {path.name for path in left_folders(host("hosted"))}
    assert left == {f"step-{step.pk}-{step.fence + 1}", "step-999-1"}
