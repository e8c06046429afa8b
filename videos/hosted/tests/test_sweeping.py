import io
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from videos.hosted.hosts import host
from videos.hosted.models import ContentKey, HostedVideo, Package, SpentToken, Step, Transcode, Upload
from videos.hosted.services.clearing import leftovers, removal, sweeping
from videos.hosted.services.clearing.sweeping import sweep
from videos.hosted.services.content_keys import keys
from videos.hosted.services.transcoding import steps, transcodes
from videos.hosted.services.transcoding.holding import take
from videos.hosted.tests.buckets import bucket_options
from videos.hosted.tests.faulty_store import BACKEND
from videos.hosted.tests.jobs import (
    RUNG,
    files_of,
    let_lease_pass,
    make_arrived_video,
    make_finished_video,
    use_small_encoder,
)
from videos.hosted.tests.making import make_hosted_video

pytestmark = pytest.mark.django_db


@pytest.fixture
def behaviour(settings, tmp_path):
    return use_small_encoder(settings, tmp_path)


def past(**delta):
    return timezone.now() - timedelta(**delta)


def settle():
    """As if all jobs had ended, and all packages had died, long enough ago."""
    Transcode.objects.exclude(finished_at=None).update(finished_at=past(minutes=5))
    Package.objects.exclude(empty_at=None).update(empty_at=past(seconds=1))
    HostedVideo.objects.exclude(deleted_at=None).update(deleted_at=past(minutes=5))


def test_work_that_was_left_behind_gets_a_worker(behaviour, tmp_path):
    due, running, dead, waiting, ended = [transcodes.start(video=make_arrived_video(tmp_path)[0]) for _ in range(5)]
    take(running.pk, lease_s=60)
    let_lease_pass(take(dead.pk, lease_s=60).pk)
    Step.objects.filter(transcode=waiting).update(due_at=timezone.now() + timedelta(minutes=1))
    transcodes.fail(transcodes.lock(ended.pk), code="host_failed", detail="")
    RUNG.clear()
    sweep()
    assert sorted(RUNG) == [("videos.hosted.run_steps", pk) for pk in (due.pk, dead.pk)]


def test_what_a_finished_job_worked_with_goes(behaviour, tmp_path):
    copy, _ = make_finished_video(tmp_path)
    before = files_of(copy)
    sweep()
    assert files_of(copy) == before
    settle()
    sweep()
    assert set(before) - set(files_of(copy)) == {
        f"w/{transcodes.latest(copy).public_id.hex}/encode{number}/part" for number in range(2)
    }
    assert transcodes.latest(copy).cleaned_at is not None


def test_a_retired_package_goes_with_its_key_once_its_time_is_over(behaviour, tmp_path):
    copy, _ = make_finished_video(tmp_path)
    former = copy.package
    steps.run_steps(transcodes.start(video=copy).pk)
    copy.refresh_from_db()
    sweep()
    assert f"p/{former.public_id.hex}/v.txt" in files_of(copy)
    settle()
    sweep()
    former.refresh_from_db()
    assert (former.state, former.manifests.count(), former.key.wrapped) == ("emptied", 0, "")
    assert set(files_of(copy)) == {
        "source",
        f"p/{copy.package.public_id.hex}/v.txt",
        f"p/{copy.package.public_id.hex}/a.txt",
    }
    assert keys.encryption_of(copy.package).key


def test_of_a_deleted_copy_nothing_is_left_but_an_empty_row(behaviour, tmp_path):
    copy, _ = make_finished_video(tmp_path)
    other, _ = make_finished_video(tmp_path)
    steps.run_steps(transcodes.start(video=copy).pk)
    removal.delete(alias="hosted", host_id=copy.host_id)
    sweep()
    copy.refresh_from_db()
    assert (files_of(copy), copy.emptied_at) == ({}, None)
    (tmp_path / "store" / copy.prefix).mkdir()
    (tmp_path / "store" / copy.prefix / "late").write_text("by a worker that slept")
    settle()
    sweep()
    copy.refresh_from_db()
    assert not (tmp_path / "store" / copy.prefix).exists()
    assert (copy.emptied_at is None, copy.source_key, copy.source_info, copy.title) == (False, "", {}, "")
    assert {package.state for package in copy.packages.all()} == {"emptied"}
    assert [key.wrapped for key in copy.keys.all()] == ["", ""]
    package = f"p/{other.package.public_id.hex}"
    assert set(files_of(other)) == {"source", f"{package}/v.txt", f"{package}/a.txt"}


def test_in_a_bucket_a_film_becomes_ready_and_nothing_is_left_of_it_once_it_is_deleted(settings, tmp_path):
    store = {"BACKEND": "videos.hosted.stores.bucket.BucketStore", "OPTIONS": bucket_options()}
    use_small_encoder(settings, tmp_path, store=store)
    copy, _ = make_finished_video(tmp_path)
    bucket, package = host("hosted").get_store(), copy.package
    work = {f"{transcodes.latest(copy).work_prefix}encode{number}/part" for number in range(2)}
    played = {f"{copy.prefix}source", f"{package.prefix}v.txt", f"{package.prefix}a.txt"}
    assert (transcodes.latest(copy).state, set(bucket.keys(""))) == ("completed", work | played)
    settle()
    sweep()
    assert set(bucket.keys("")) == played
    removal.delete(alias="hosted", host_id=copy.host_id)
    HostedVideo.objects.update(deleted_at=past(minutes=5))
    sweep()
    copy.refresh_from_db()
    assert (list(bucket.keys("")), copy.emptied_at is None) == ([], False)


def test_of_a_copy_that_nobody_knows_no_row_is_left_after_a_day(behaviour, tmp_path):
    """The process died between the host's answer and the row in `videos`."""
    unknown, young, sent = [HostedVideo.objects.create(alias="hosted") for _ in range(3)]
    known, _ = make_hosted_video()
    for copy in (unknown, young, sent, known):
        Upload.objects.create(video=copy, kind="tus", key=f"{copy.prefix}source", length=1, expires_at=past(seconds=1))
    HostedVideo.objects.exclude(pk=young.pk).update(created_at=past(hours=25))
    Upload.objects.filter(video=sent).update(expires_at=timezone.now() + timedelta(hours=1))
    sweep()
    assert HostedVideo.objects.count() == 4
    sweep(is_thorough=True)
    assert set(HostedVideo.objects.all()) == {young, sent, known}
    assert set(Upload.objects.values_list("video", flat=True)) == {young.pk, sent.pk, known.pk}


def test_an_original_goes_once_its_package_plays_and_nobody_needs_it(settings, tmp_path):
    behaviour = use_small_encoder(settings, tmp_path)
    copy, _ = make_finished_video(tmp_path)
    job = transcodes.start(video=copy)

    def keep_no_originals(work):
        settings.VIDEO_PROVIDERS["hosted"]["OPTIONS"]["keeps_sources"] = False
        sweep()

    behaviour.at["probe"] = keep_no_originals
    steps.run_steps(job.pk)
    assert "source" in files_of(copy)
    sweep()
    copy.refresh_from_db()
    assert (copy.source_key, "source" in files_of(copy), copy.package.transcode) == ("", False, job)
    assert f"p/{copy.package.public_id.hex}/v.txt" in files_of(copy)


def test_spent_tokens_are_forgotten_when_they_would_have_ended(behaviour):
    SpentToken.objects.create(token_id="old", expires_at=past(seconds=1))
    SpentToken.objects.create(token_id="new", expires_at=timezone.now() + timedelta(minutes=1))
    sweep()
    assert [token.token_id for token in SpentToken.objects.all()] == ["new"]


def test_what_fails_holds_up_nothing_else_unless_that_takes_long(settings, tmp_path, caplog, monkeypatch):
    use_small_encoder(
        settings,
        tmp_path,
        store={"BACKEND": BACKEND, "OPTIONS": {"root": str(tmp_path / "store"), "stuck": (stuck := set())}},
    )
    copies = [make_arrived_video(tmp_path)[0] for _ in range(6)]
    stuck.update(copy.prefix for copy in copies[2:])
    for copy in copies:
        removal.delete(alias="hosted", host_id=copy.host_id)
    settle()
    SpentToken.objects.create(token_id="old", expires_at=past(seconds=1))
    monkeypatch.setattr(sweeping, "FAILING_S_MAX", 0)
    sweep()
    assert caplog.text.count("the disk does not answer") == 1
    monkeypatch.undo()
    sweep()
    emptied = HostedVideo.objects.filter(emptied_at__isnull=False).order_by("pk")
    assert list(emptied) == copies[:2]
    assert not SpentToken.objects.exists()
    assert caplog.text.count("the disk does not answer") == 1 + 4
    stuck.clear()
    sweep()
    assert emptied.all().count() == 6


def test_a_thorough_sweep_finds_what_came_too_late(behaviour, tmp_path):
    """A worker that slept through its lease wrote after its files were removed, and had made a key."""
    copy, _ = make_finished_video(tmp_path)
    steps.run_steps(transcodes.start(video=copy).pk)
    settle()
    sweep()
    store = host("hosted").get_store()
    copy.refresh_from_db()
    expected = files_of(copy)
    emptied, job = Package.objects.get(state="emptied"), transcodes.latest(copy)
    for prefix in (emptied.prefix, job.work_prefix):
        (tmp_path / "late").write_text("late")
        store.put_file(f"{prefix}late", tmp_path / "late")
    key, kept = keys.create_key(video=copy), keys.create_key(video=copy)
    Package.objects.filter(pk=emptied.pk).update(key=kept)  # its process died before it destroyed the key
    ContentKey.objects.update(created_at=past(minutes=5))
    sweep()
    assert len(files_of(copy)) == len(expected) + 2
    sweep(is_thorough=True)
    assert files_of(copy) == expected
    left = ContentKey.objects.exclude(wrapped="")
    assert (list(left), {key, kept} <= set(copy.keys.all())) == ([copy.package.key], True)


def test_looking_through_a_store_takes_three_statements_however_much_is_in_it(
    behaviour, tmp_path, django_assert_num_queries
):
    for _ in range(3):
        make_finished_video(tmp_path)
    with django_assert_num_queries(3):
        assert list(leftovers.find("hosted", host("hosted").get_store())) == []


def test_what_no_row_speaks_of_goes_only_when_told_to_and_old(behaviour, tmp_path, caplog, monkeypatch):
    copy, _ = make_finished_video(tmp_path)
    settle()
    sweep()
    store, expected = host("hosted").get_store(), files_of(copy)
    strange = ["0" * 32 + "/source", f"{copy.prefix}p/{'0' * 32}/v.mp4"]
    for key in [*strange, "somebody/elses"]:
        (tmp_path / "strange").write_text("strange")
        store.put_file(key, tmp_path / "strange")
    sweep(is_thorough=True)
    sweep(is_thorough=True, removes_unknown=True)
    assert all(store.size_of(key) for key in strange)
    assert "No row of this database speaks of" in caplog.text
    monkeypatch.setattr(leftovers, "OLD_S", -1)
    sweep(is_thorough=True)
    assert all(store.size_of(key) for key in strange)
    sweep(is_thorough=True, removes_unknown=True)
    assert [store.size_of(key) for key in strange] == [None, None]
    assert (store.size_of("somebody/elses"), files_of(copy)) == (7, expected)


def test_a_rehearsal_tells_everything_and_changes_nothing(behaviour, tmp_path):
    copy, _ = make_finished_video(tmp_path)
    removal.delete(alias="hosted", host_id=make_finished_video(tmp_path)[0].host_id)
    transcodes.start(video=make_arrived_video(tmp_path)[0])
    (tmp_path / "work" / "step-999-1").mkdir(parents=True)
    settle()
    RUNG.clear()
    before = (files_of(copy), list(HostedVideo.objects.values()), list(Transcode.objects.values()))
    out = io.StringIO()
    call_command("sweep_hosted", "--dry-run", "--thorough", stdout=out)
    assert before == (files_of(copy), list(HostedVideo.objects.values()), list(Transcode.objects.values()))
    assert (RUNG, (tmp_path / "work" / "step-999-1").exists()) == ([], True)
    told = out.getvalue()
    for words in ("call a worker", "working files of transcode", "of the deleted video", "working folder step-999-1"):
        assert words in told
    call_command("sweep_hosted", stdout=out)
    assert not (tmp_path / "work" / "step-999-1").exists()
    assert len(RUNG) == 1
