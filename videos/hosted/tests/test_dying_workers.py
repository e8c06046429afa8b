"""Real processes that are killed and stopped while they transcode, with files, rows and locks as they leave them."""

import os
import shutil
import signal
import time

import pytest
from django.core.management import call_command

from videos.hosted.models import HostedVideo, Package, Step, Transcode
from videos.hosted.services.transcoding import steps, transcodes
from videos.hosted.tests.clips import clip
from videos.hosted.tests.dying import (
    dying_at,
    dying_in,
    fork,
    go_on,
    lines_of,
    processes_in,
    require_frames,
    require_nothing_left,
    was_killed,
)
from videos.hosted.tests.faulty_store import DEADLY
from videos.hosted.tests.jobs import files_of, let_lease_pass, make_arrived_video, use_small_encoder
from videos.hosted.tests.making import make_hosted_video

pytestmark = pytest.mark.django_db(transaction=True)
KILLS = 5


@pytest.fixture
def behaviour(settings, tmp_path):
    return use_small_encoder(settings, tmp_path)


def test_a_worker_killed_at_any_line_loses_nothing(behaviour, tmp_path):
    copy, _ = make_arrived_video(tmp_path)
    first = transcodes.start(video=copy)
    all_lines = lines_of(lambda: steps.run_steps(first.pk))
    assert all_lines > 300
    for number in range(KILLS):
        job = transcodes.start(video=copy)
        line = int(all_lines * (number + 0.5) / KILLS)
        assert was_killed(fork(dying_at(line, lambda job=job: steps.run_steps(job.pk))))
        go_on()
        job.refresh_from_db()
        copy.refresh_from_db()
        assert (job.state, copy.package.transcode_id, line) == ("completed", job.pk, line)
        require_nothing_left()


def test_a_worker_killed_between_its_last_file_and_publishing_leaves_the_former_package_playing(settings, tmp_path):
    use_small_encoder(
        settings,
        tmp_path,
        store={"BACKEND": DEADLY, "OPTIONS": {"root": str(tmp_path / "store"), "after": (after := [])}},
    )
    copy, _ = make_arrived_video(tmp_path)
    steps.run_steps(transcodes.start(video=copy).pk)
    copy.refresh_from_db()
    former, before = copy.package, files_of(copy)
    job = transcodes.start(video=copy)
    after.append("/a.txt")
    assert was_killed(fork(lambda: steps.run_steps(job.pk)))
    after.clear()
    left = Package.objects.get(transcode=job)
    copy.refresh_from_db()
    assert (left.state, copy.package) == ("building", former)
    assert {f"p/{left.public_id.hex}/v.txt", f"p/{left.public_id.hex}/a.txt"} <= set(files_of(copy))
    assert before.items() <= files_of(copy).items()
    go_on()
    job.refresh_from_db()
    assert job.state == "completed"
    require_nothing_left()


def test_a_stopped_worker_that_wakes_up_after_its_step_was_taken_changes_nothing(behaviour, tmp_path):
    copy, _ = make_arrived_video(tmp_path)
    job = transcodes.start(video=copy)
    done = tmp_path / "done"
    owner = os.getpid()

    def stop(work):
        if os.getpid() != owner:
            os.kill(os.getpid(), signal.SIGSTOP)

    def work():
        steps.run_steps(job.pk)
        done.write_text("")

    behaviour.at["package"] = stop
    sleeper = fork(work)
    os.waitpid(sleeper, os.WUNTRACED)
    let_lease_pass(Step.objects.get(kind="package").pk)
    steps.run_steps(job.pk)
    rows = [list(model.objects.order_by("pk").values()) for model in (Step, Transcode, HostedVideo)]
    os.kill(sleeper, signal.SIGCONT)
    assert not was_killed(sleeper)
    assert done.exists()
    assert rows == [list(model.objects.order_by("pk").values()) for model in (Step, Transcode, HostedVideo)]
    go_on()
    require_nothing_left()


def test_a_worker_by_command_that_is_told_to_end_leaves_its_step_to_the_next_one(behaviour, tmp_path):
    first, second = [transcodes.start(video=make_arrived_video(tmp_path)[0]) for _ in range(2)]
    behaviour.at["encode"] = lambda work: os.kill(os.getpid(), signal.SIGTERM)
    assert not was_killed(fork(lambda: call_command("run_transcodes", watch=True)))
    behaviour.at.clear()
    held = Step.objects.get(transcode=first, kind="encode", fence=1)
    assert (held.state, held.attempts, second.steps.get().state) == ("due", 0, "due")
    HostedVideo.objects.filter(pk=first.video_id).update(alias="configured no more")
    call_command("run_transcodes")
    states = Transcode.objects.order_by("pk").values_list("state", flat=True)
    assert list(states) == ["processing", "completed"]


@pytest.mark.one_database
def test_the_tools_of_a_worker_that_is_killed_die_with_it_and_the_film_is_right_in_the_end(hosted, settings, tmp_path):
    """Real ffmpeg and packager: one worker dies while it encodes, the next while it packages."""
    settings.VIDEO_ENQUEUE = "videos.hosted.tests.jobs.ring"
    copy, _ = make_hosted_video()
    original = clip(seconds=2, width=160, height=90)
    copy.source_key, copy.source_bytes = f"{copy.prefix}source", original.stat().st_size
    copy.save()
    shutil.copyfile(original, tmp_path / "original")
    hosted.get_store().put_file(copy.source_key, tmp_path / "original")
    job = transcodes.start(video=copy)
    for kind in ("video", "package"):
        is_time = Step.objects.filter(kind=kind, state="running").exists
        # Here it begins to listen to a tool that it has just started.
        assert was_killed(fork(dying_in("_listen", is_time, lambda: steps.run_steps(job.pk))))
        wait_until(lambda: processes_in(hosted.work_path) == [])
        let_lease_pass(Step.objects.get(kind=kind).pk)
    go_on()
    copy.refresh_from_db()
    require_nothing_left()
    assert [step.fence for step in job.steps.filter(kind__in=["video", "package"]).order_by("stage")] == [2, 2]
    require_frames(copy, original, count=60)


def wait_until(is_so) -> None:
    deadline = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.005)
