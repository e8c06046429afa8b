from datetime import timedelta

import pytest
from django.utils import timezone

from videos import signals
from videos.hosted.models import ContentKey, Package, TranscodeKind
from videos.hosted.seams.encoder import EncodeFailed
from videos.hosted.services.content_keys import keys
from videos.hosted.services.operations import described
from videos.hosted.services.transcoding import steps, transcodes
from videos.hosted.tests.jobs import files_of, let_wait_pass, make_arrived_video, make_finished_video, use_small_encoder
from videos.providers import failures
from videos.services.assets import refresh_asset

pytestmark = pytest.mark.django_db


@pytest.fixture
def behaviour(settings, tmp_path):
    return use_small_encoder(settings, tmp_path)


def again(copy, **how):
    job = transcodes.start(video=copy, **how)
    steps.run_steps(job.pk)
    copy.refresh_from_db()
    job.refresh_from_db()
    return job


@pytest.mark.parametrize(("protection", "scheme", "count"), [("open", "open", 0), ("encrypted", "cbcs", 1)])
def test_the_protection_of_the_video_decides_how_its_package_is_encrypted(
    behaviour, tmp_path, protection, scheme, count
):
    copy, _ = make_finished_video(tmp_path, protection=protection)
    assert (copy.package.scheme, ContentKey.objects.count()) == (scheme, count)
    key = keys.encryption_of(copy.package).key.hex()
    assert files_of(copy)[f"p/{copy.package.public_id.hex}/v.txt"] == f"0:a film|1:a film#{key}"


def test_a_package_has_its_row_and_key_before_its_first_file(behaviour, tmp_path):
    copy, _ = make_arrived_video(tmp_path)
    states = []

    def look(work):
        package = Package.objects.get()
        states.append((package.state, package.key.wrapped != "", list(work.store.keys(package.prefix))))

    behaviour.at["package"] = look
    again(copy)
    assert states == [("building", True, [])]


def test_another_transcode_switches_to_its_package_and_lets_viewers_of_the_former_one_go_on(behaviour, tmp_path):
    copy, _ = make_finished_video(tmp_path)
    former = copy.package
    again(copy)
    former.refresh_from_db()
    assert (former.state, copy.package.state) == ("retired", "published")
    assert former.empty_at > timezone.now() + timedelta(hours=23)
    assert f"p/{former.public_id.hex}/v.txt" in files_of(copy)
    assert former.key != copy.package.key


def test_another_transcode_that_fails_leaves_the_former_package_playing(behaviour, tmp_path):
    copy, _ = make_finished_video(tmp_path)
    former = copy.package
    behaviour.at["package"] = lambda work: (_ for _ in ()).throw(EncodeFailed(failures.UNREADABLE, "no"))
    job = again(copy)
    assert (job.state, copy.package, copy.package.state) == ("failed", former, "published")
    info = described.describe("hosted", copy.host_id)
    assert (info.status, info.host_status, info.failure_code) == ("ready", "failed", "")


def test_no_package_is_published_whose_key_was_revoked_while_it_was_made(behaviour, tmp_path):
    copy, _ = make_finished_video(tmp_path)
    former = copy.package
    behaviour.at["package"] = lambda work: keys.revoke(video=copy, reason="leaked") and None
    job = again(copy)
    assert (job.state, copy.package, "revoked" in job.steps.get(kind="package").last_error) == ("processing", former, 1)
    behaviour.at.clear()
    let_wait_pass(job)
    steps.run_steps(job.pk)
    copy.refresh_from_db()
    assert (copy.package.transcode, copy.package.key.state) == (job, "active")
    assert [package.state for package in job.packages.all()] == ["published", "abandoned"]


def test_each_failure_and_the_success_at_last_are_announced(behaviour, tmp_path, django_capture_on_commit_callbacks):
    copy, _ = make_arrived_video(tmp_path)
    told = []

    def listen(sender, asset, **kwargs):
        told.append(asset.status)

    def fail(work):
        raise EncodeFailed(failures.UNREADABLE, "no")

    for signal in (signals.video_ready, signals.video_failed):
        signal.connect(listen)
    try:
        for at in ({"encode": fail}, {"encode": fail}, {}):
            job = transcodes.start(video=copy)
            refresh_asset(copy.get_asset().pk)
            behaviour.at = at
            steps.run_steps(job.pk)
            with django_capture_on_commit_callbacks(execute=True):
                refresh_asset(copy.get_asset().pk)
    finally:
        for signal in (signals.video_ready, signals.video_failed):
            signal.disconnect(listen)
    assert told == ["failed", "failed", "ready"]


def test_a_repackaging_starts_from_the_package_that_plays(behaviour, tmp_path):
    copy, _ = make_finished_video(tmp_path)
    former = copy.package
    job = again(copy, kind=TranscodeKind.REPACKAGE)
    (work,) = [work for work in behaviour.seen if work.step.kind == "repackage"]
    assert (work.former_prefix, work.formerly.kid) == (former.prefix, former.key.kid)
    assert work.former_manifests == {"master.m3u8": "#EXTM3U"}
    assert (work.former_renditions, work.former_pictures) == (former.renditions, {})
    assert (job.state, copy.package.key.version) == ("completed", 2)
    key = keys.encryption_of(copy.package).key.hex()
    assert files_of(copy)[f"p/{copy.package.public_id.hex}/v.txt"] == f"0:a film|1:a film#{key}"


def test_no_key_is_in_what_is_logged_or_written(behaviour, tmp_path, caplog):
    def fail(work):
        raise RuntimeError(f"a defect at {work!r}")

    copy, _ = make_arrived_video(tmp_path)
    behaviour.at["package"] = fail
    again(copy)
    key = behaviour.seen[-1].encryption.key
    said = caplog.text + copy.transcodes.get().steps.get(kind="package").last_error
    assert "a defect at" in said
    assert key.hex() not in said
    assert repr(key)[2:-1] not in said
