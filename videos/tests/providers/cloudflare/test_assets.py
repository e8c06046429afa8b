import json
import logging

import pytest

from videos.providers import failures
from videos.providers.exceptions import (
    AssetNotFound,
    CredentialsRejected,
    MalformedResponse,
    QuotaExceeded,
    RateLimited,
    Rejected,
)
from videos.providers.types import Status
from videos.tests.providers.contract_uploads import make_upload


@pytest.mark.parametrize(
    ("state", "is_ready", "status"),
    [
        ("pendingupload", False, Status.WAITING),
        ("downloading", False, Status.PROCESSING),
        ("queued", False, Status.PROCESSING),
        ("inprogress", False, Status.PROCESSING),
        ("live-inprogress", False, Status.PROCESSING),
        ("inprogress", True, Status.READY),
        ("ready", True, Status.READY),
        ("ready", False, Status.PROCESSING),
        ("ready", "true", Status.PROCESSING),
        ("error", False, Status.FAILED),
        ("error", True, Status.FAILED),
    ],
)
def test_a_video_is_ready_when_it_can_be_streamed(provider, answer, ready_id, state, is_ready, status, caplog):
    video = {"uid": ready_id, "status": {"state": state, "pctComplete": "39.000000"}, "readyToStream": is_ready}
    answer({"result": video, "success": True})
    info = provider.get_asset(ready_id)
    assert (info.status, info.host_status, info.progress_percent) == (status, state, 39)
    assert not caplog.records


def test_an_unknown_state_means_processing_and_is_logged(provider, answer, ready_id, caplog):
    answer({"result": {"status": {"state": "dreaming"}}, "success": True})
    info = provider.get_asset(ready_id)
    assert (info.status, info.host_status) == (Status.PROCESSING, "dreaming")
    assert [(record.levelno, "dreaming" in record.message) for record in caplog.records] == [(logging.WARNING, True)]


@pytest.mark.parametrize("spelling", ["errorReasonCode", "errReasonCode"])
@pytest.mark.parametrize(
    ("word", "code"),
    [
        ("ERR_NON_VIDEO", failures.NOT_A_VIDEO),
        ("ERR_MALFORMED_VIDEO", failures.UNREADABLE),
        ("ERR_DURATION_EXCEED_CONSTRAINT", failures.TOO_LONG),
        ("ERR_DURATION_TOO_SHORT", failures.TOO_SHORT),
        ("ERR_FETCH_ORIGIN_ERROR", failures.FETCH_FAILED),
        ("ERR_UNKNOWN", failures.HOST_FAILED),
        ("", failures.HOST_FAILED),
        (None, failures.HOST_FAILED),
    ],
)
def test_both_spellings_of_a_failure_are_read(provider, answer, ready_id, spelling, word, code):
    answer({"result": {"status": {"state": "error", spelling: word}}, "success": True})
    assert provider.get_asset(ready_id).failure_code == code


def test_what_is_not_known_yet_is_none(provider, sandbox):
    info = provider.get_asset(sandbox.cloudflare.add_video(state="pendingupload"))
    assert (info.duration_s, info.progress_percent) == (None, None) or info.raw["duration"] == -1
    assert info.duration_s is None


def test_odd_members_of_a_video_do_no_harm(provider, answer, ready_id):
    status = {"state": "inprogress", "pctComplete": "1e400"}
    odd = {"status": status, "meta": ["name"], "duration": "x", "size": -1, "readyToStream": None}
    answer({"result": odd, "success": True})
    info = provider.get_asset(ready_id)
    assert (info.title, info.duration_s, info.size_bytes, info.progress_percent) == ("", None, None, None)


@pytest.mark.parametrize(
    "body", [{}, {"result": None}, {"result": {}}, {"result": {"status": "ready"}}, {"result": {"status": {}}}, []]
)
def test_a_video_without_a_state_is_malformed(provider, answer, ready_id, body):
    answer(body)
    with pytest.raises(MalformedResponse):
        provider.get_asset(ready_id)


@pytest.mark.parametrize("host_id", ["", "../keys", "a,b", "a/b", "a?b=c", "ä", "a b", "a.b", "a" * 65])
def test_an_id_that_is_no_id_is_not_even_asked_for(provider, sandbox, host_id):
    for act in (provider.get_asset, lambda host_id: provider.rename(host_id, "x")):
        with pytest.raises(AssetNotFound):
            act(host_id)
    provider.delete(host_id)
    provider.delete_caption(host_id, "en")
    assert sandbox.calls("cloudflare") == []


def test_renaming_keeps_the_rest_of_meta(provider, sandbox):
    video = sandbox.cloudflare.add_video(title="Lesson")
    sandbox.cloudflare.library.change(video, meta={"name": "Lesson", "course": "algebra"})
    provider.rename(video, "Another title")
    assert provider.get_asset(video).raw["meta"] == {"name": "Another title", "course": "algebra"}


@pytest.mark.parametrize(
    ("status", "errors", "error"),
    [
        (401, [{"code": 10000, "message": "Authentication error"}], CredentialsRejected),
        (400, [{"code": 10000, "message": "Authentication error"}], CredentialsRejected),
        (413, [{"code": 10011, "message": "Storage capacity exceeded"}], QuotaExceeded),
        (413, [{"code": 1, "message": "too many videos are queued"}], QuotaExceeded),
        (413, [{"code": 1, "message": "the file is too large"}], Rejected),
        (429, [{"code": 1, "message": "too many videos are queued"}], QuotaExceeded),
        (429, [{"code": 971, "message": "Please wait"}], RateLimited),
        (429, [], RateLimited),
        (400, [{"code": 10059}, "odd", {"code": "10011"}], Rejected),
        (200, [{"code": 10011, "message": "x"}], QuotaExceeded),
        (200, [], Rejected),
        (404, [{"code": 10003, "message": "Not found"}], AssetNotFound),
    ],
)
def test_status_and_envelope_together_mean_one_error(provider, sandbox, ready_id, status, errors, error):
    envelope = {"result": None, "success": False, "errors": errors}
    sandbox.fault(service="cloudflare", path=".*", status=status, body=json.dumps(envelope), times=0)
    with pytest.raises(Rejected if error is Rejected else error) as caught:
        provider.import_url("https://example.com/a.mp4", title="Lesson")
    assert type(caught.value) is error


def test_a_plan_without_minutes_is_a_quota(provider, sandbox):
    sandbox.cloudflare.set_quota(allocated_minutes=0)
    with pytest.raises(QuotaExceeded):
        provider.create_upload(make_upload(size_bytes=1000))


def test_a_full_queue_is_a_quota(provider, sandbox):
    sandbox.cloudflare.set_quota(queued_limit=0)
    for size_bytes in (1000, 200_000_000):
        with pytest.raises(QuotaExceeded):
            provider.create_upload(make_upload(size_bytes=size_bytes))


def test_a_wrong_token_is_told_apart(configured):
    provider = configured(api_token="cf_sandbox_wrong")
    with pytest.raises(CredentialsRejected):
        provider.storage()
    assert provider.ping().error_code == "host_credentials_rejected"
