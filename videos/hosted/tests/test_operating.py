"""What operators look at: the check of our own host, its jobs, its alarms."""

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.utils import timezone

from videos.hosted.hosts import host
from videos.hosted.models import Licence, Step, StepState, Transcode, TranscodeState
from videos.hosted.services.operations.alarms import find_alarms, raise_alarms
from videos.hosted.services.operations.checking import check_hosts, problems
from videos.hosted.tests.conftest import KEK, hosted_entry
from videos.hosted.tests.making import make_hosted_video, make_key
from videos.providers.registry import providers
from videos.providers.types import Workload
from videos.services.metrics import platform_metrics

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


def fail_jobs(number, *, minutes=1, code="unreadable"):
    failed = {"state": TranscodeState.FAILED, "failure_code": code}
    at = timezone.now() - timedelta(minutes=minutes)
    for _ in range(number):
        Transcode.objects.create(video=make_hosted_video()[0], finished_at=at, **failed)


def refuse_licences(number, *, seconds):
    at = timezone.now() - timedelta(seconds=seconds)
    Licence.objects.bulk_create(
        Licence(system="clearkey", result="session_revoked", created_at=at) for _ in range(number)
    )


def codes():
    return [alarm.code for alarm in find_alarms()]


def test_what_is_usual_alarms_nobody(hosted):
    fail_jobs(2)
    fail_jobs(3, minutes=6)
    fail_jobs(3, code="deleted")
    refuse_licences(50, seconds=10)
    Licence.objects.create(system="clearkey", result="issued", created_at=timezone.now() - timedelta(seconds=70))
    assert codes() == []


def test_failing_jobs_refused_licences_and_work_that_nobody_takes_are_alarming(hosted):
    fail_jobs(3)
    refuse_licences(10, seconds=10)
    refuse_licences(10, seconds=70)
    job = Transcode.objects.create(video=make_hosted_video()[0], failure_code="tools_missing")
    Step.objects.create(transcode=job, stage=0, kind="probe", due_at=timezone.now() - timedelta(minutes=11))
    assert codes() == ["transcodes_failing", "licence_errors", "transcodes_overdue", "tools_missing"]


def test_an_alarm_is_logged_when_it_begins_and_again_when_it_comes_back(hosted, caplog):
    fail_jobs(3)
    for _ in range(3):
        raise_alarms()
    assert [record.levelname for record in caplog.records if "transcodes_failing" in record.message] == ["ERROR"]
    jobs = Transcode.objects.all()
    jobs.update(state=TranscodeState.COMPLETED)
    assert raise_alarms() == []
    jobs.update(state=TranscodeState.FAILED)
    raise_alarms()
    assert sum("transcodes_failing" in record.message for record in caplog.records) == 2


def test_the_workload_counts_today_alone(hosted, django_assert_num_queries):
    copy, _ = make_hosted_video()
    key = make_key(copy, state="revoked")
    now, long_ago = timezone.now(), timezone.now() - timedelta(days=2)
    Transcode.objects.create(video=copy, state=TranscodeState.PENDING)
    for state, at in (("completed", now), ("failed", now), ("failed", long_ago)):
        Transcode.objects.create(video=copy, state=state, finished_at=at)
    for result, at in (("issued", now), ("too_many_licences", now), ("issued", long_ago)):
        Licence.objects.create(system="clearkey", result=result, created_at=at, key=key)
    with django_assert_num_queries(4):
        told = providers["hosted"].workload()
    assert told == Workload(
        jobs_waiting=1,
        jobs_running=0,
        jobs_completed_today=1,
        jobs_failed_today=1,
        licences_issued_today=1,
        licence_errors_today=1,
        revoked_keys=1,
    )
    assert platform_metrics()["hosts"][0]["alias"] == "hosted"
