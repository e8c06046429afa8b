"""What operators look at: the check of our own host, its jobs, its alarms."""

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.utils import timezone

from videos.hosted.hosts import host
from videos.hosted.models import Step, StepState, Transcode, TranscodeState
from videos.hosted.services.checking import check_hosts, problems
from videos.hosted.tests.conftest import KEK, hosted_entry
from videos.hosted.tests.making import make_hosted_video, make_key

pytestmark = pytest.mark.django_db
KEY_STORE = "videos.hosted.key_stores.local.LocalKeyStore"


def levels():
    return {finding.about: finding.level for finding in check_hosts()}


def run(name, *arguments):
    told = StringIO()
    try:
        call_command(name, *arguments, stdout=told)
    except SystemExit as end:
        return told.getvalue(), end.code
    return told.getvalue(), 0


def test_a_host_that_works_passes_every_check(hosted):
    found = levels()
    assert {"store", "keys", "tools", "work folder", "delivery", "queue"} == found.keys()
    assert {found[about] for about in ("store", "keys", "tools", "delivery", "queue")} == {"ok"}
    told, code = run("check_hosted", "--json")
    assert code == 0
    assert {row["about"] for row in json.loads(told)} == found.keys()
    assert KEK not in told


def test_each_thing_that_is_broken_is_named_and_the_others_are_still_checked(hosted, settings, tmp_path):
    taken = tmp_path / "taken"
    taken.write_text("")
    entry = hosted_entry(tmp_path, key_store={"BACKEND": KEY_STORE, "OPTIONS": {"keys": {"a": "c2hvcnQ="}}})
    entry["OPTIONS"]["store"]["OPTIONS"]["root"] = str(taken / "store")
    settings.VIDEO_PROVIDERS = {"hosted": entry}
    copy, _ = make_hosted_video()
    job = Transcode.objects.create(video=copy)
    Step.objects.create(transcode=job, stage=0, kind="probe", due_at=timezone.now() - timedelta(minutes=30))
    told, code = run("check_hosted")
    assert code == 1
    assert [levels()[about] for about in ("store", "keys", "queue")] == ["error"] * 3
    assert "30 min" in told
    assert "5 bytes instead of 32" in told


def test_a_key_that_is_old_is_told_with_what_to_do(hosted):
    key = make_key(make_hosted_video()[0])
    type(key).objects.update(created_at=timezone.now() - timedelta(days=91))
    told, code = run("check_hosted")
    assert code == 0
    assert "rewrap_content_keys" in told


@pytest.mark.one_database
def test_keys_of_development_and_a_folder_that_cannot_be_written_stop_production(settings, tmp_path):
    (tmp_path / "taken").write_text("")
    options = {"keys": {"development": KEK}}
    entry = hosted_entry(
        tmp_path, key_store={"BACKEND": KEY_STORE, "OPTIONS": options}, work_dir=str(tmp_path / "taken" / "work")
    )
    settings.VIDEO_PROVIDERS = {"hosted": entry}
    settings.DEBUG = False
    assert [found.id for found in problems(host("hosted"), "x")] == ["videos.E010", "videos.E011"]
    settings.DEBUG = True
    assert [found.id for found in problems(host("hosted"), "x")] == ["videos.E011"]
    options["keys"] = {"a": "no base64!"}
    assert problems(host("hosted"), "x")[0].id == "videos.E009"


def test_the_list_of_jobs_shows_what_runs_and_what_failed_lately(hosted):
    assert run("monitor_transcodes") == ("Nothing is prepared now.\n", 0)
    running = Transcode.objects.create(
        video=make_hosted_video(title="Limits")[0], state=TranscodeState.PROCESSING, progress_percent=42
    )
    Step.objects.create(transcode=running, stage=1, kind="encode", state=StepState.RUNNING)
    told, code = run("monitor_transcodes")
    assert code == 0
    assert [word in told for word in ("Limits", "Encoding", "42 %")] == [True] * 3
    failed = {"state": TranscodeState.FAILED, "failure_code": "unreadable", "failure_detail": "moov atom not found"}
    Transcode.objects.create(video=make_hosted_video()[0], finished_at=timezone.now(), **failed)
    old = timezone.now() - timedelta(days=3)
    Transcode.objects.create(video=make_hosted_video(title="Old")[0], finished_at=old, **failed)
    told, code = run("monitor_transcodes")
    assert (code, "unreadable moov atom" in told, "Old" in told) == (1, True, False)
