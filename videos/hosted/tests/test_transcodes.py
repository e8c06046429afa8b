import threading

import pytest
from django.db import connection

from videos.hosted.models import HostedVideo, Preset, Step, Transcode, TranscodeKind
from videos.hosted.services.transcoding import steps, transcodes
from videos.hosted.tests.jobs import RUNG, make_arrived_video, make_finished_video, use_small_encoder
from videos.providers import failures
from videos.services.errors import SourceGone, TranscodeRunning
from videos.tests.factories import make_user


@pytest.fixture
def behaviour(settings, tmp_path):
    return use_small_encoder(settings, tmp_path)


@pytest.mark.django_db
def test_a_job_begins_with_its_first_steps_and_calls_a_worker(behaviour, tmp_path):
    viewer = make_user()
    copy, video = make_arrived_video(tmp_path)
    job = transcodes.start(video=copy, preset=Preset.HIGH, requested_by=viewer)
    assert [(step.kind, step.state) for step in job.steps.all()] == [("probe", "due")]
    assert (job.state, job.preset, job.requested_by) == ("pending", "high", viewer)
    assert [("videos.hosted.run_steps", job.pk), ("videos.refresh_asset", video.get_current_asset().pk)] == RUNG
    assert transcodes.latest(copy) == job


@pytest.mark.django_db
def test_a_job_begins_once_the_one_before_has_ended(behaviour, tmp_path):
    copy, _ = make_arrived_video(tmp_path)
    first = transcodes.start(video=copy, preset=Preset.LOW)
    with pytest.raises(TranscodeRunning):
        transcodes.start(video=copy)
    with pytest.raises(TranscodeRunning):
        transcodes.retry(transcode=first)
    transcodes.fail(transcodes.lock(first.pk), code=failures.HOST_FAILED, detail="for a test")
    again = transcodes.retry(transcode=first)
    assert (again.preset, again.kind) == ("low", "encode")


@pytest.mark.django_db
@pytest.mark.parametrize("case", ["no original", "deleted", "nothing to repackage", "original going"])
def test_no_job_begins_from_what_is_gone(behaviour, settings, tmp_path, case):
    copy, _ = make_finished_video(tmp_path) if case == "original going" else make_arrived_video(tmp_path)
    kind = TranscodeKind.REPACKAGE if case == "nothing to repackage" else TranscodeKind.ENCODE
    if case == "no original":
        HostedVideo.objects.filter(pk=copy.pk).update(source_key="")
    elif case == "deleted":
        HostedVideo.objects.filter(pk=copy.pk).update(deleted_at=copy.created_at)
    elif case == "original going":
        settings.VIDEO_PROVIDERS["hosted"]["OPTIONS"]["keeps_sources"] = False
    before = Transcode.objects.count()
    with pytest.raises(SourceGone):
        transcodes.start(video=copy, kind=kind)
    assert Transcode.objects.count() == before


@pytest.mark.django_db(transaction=True)
def test_of_many_that_begin_at_once_one_job_comes_to_be(behaviour, tmp_path):
    copy, _ = make_arrived_video(tmp_path)
    together, outcomes = threading.Barrier(6), []

    def begin() -> None:
        try:
            together.wait(10)
            outcomes.append(type(transcodes.start(video=copy)).__name__)
        except TranscodeRunning:
            outcomes.append("TranscodeRunning")
        finally:
            connection.close()

    threads = [threading.Thread(target=begin) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(outcomes) == ["Transcode"] + ["TranscodeRunning"] * 5
    assert Step.objects.count() == 1


@pytest.mark.django_db
def test_a_job_is_done_from_the_original_to_the_package_that_plays(behaviour, tmp_path):
    copy, _ = make_finished_video(tmp_path)
    job = transcodes.latest(copy)
    assert (job.state, job.progress_percent, job.scheme, job.stage) == ("completed", 100, "cbcs", 2)
    assert set(job.figures["seconds"]) == {"probe", "encode", "package"}
    assert job.figures["package_bytes"] == copy.package.size_bytes
    assert copy.source_info == {"size": 6}
    assert [row.name for row in copy.package.manifests.all()] == ["master.m3u8"]
    steps.run_steps(job.pk)
    assert len(behaviour.seen) == 4
    assert [(step.kind, step.state, step.fence) for step in job.steps.all()] == [
        ("probe", "done", 1),
        ("encode", "done", 1),
        ("encode", "done", 1),
        ("package", "done", 1),
    ]
