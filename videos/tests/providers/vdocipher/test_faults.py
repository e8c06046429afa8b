import logging
import time
import traceback

import pytest

from videos.providers.exceptions import (
    AssetNotFound,
    CredentialsRejected,
    MalformedResponse,
    ProviderUnavailable,
    RateLimited,
    VideoProviderError,
)
from videos.providers.registry import providers
from videos.tests.providers.contract import make_request
from videos.tests.providers.stranger import closed_port

OTP = ".*/otp"
API_SECRET = "vdo_sandbox_11tutors"


@pytest.fixture
def ready_id(sandbox):
    return sandbox.add_video(title="Lesson")


def ask_for_otp(ready_id):
    """The failure of one viewer's request, which must end within its 4 s."""
    started = time.monotonic()
    with pytest.raises(VideoProviderError) as caught:
        providers["vdocipher"].get_playback(make_request(ready_id))
    assert time.monotonic() - started < 5
    return caught.value


def otp_calls(sandbox):
    return len([call for call in sandbox.calls("vdocipher") if call["path"].endswith("/otp")])


def test_a_host_that_is_down_is_unavailable(sandbox, settings, ready_id):
    settings.VIDEO_PROVIDERS["vdocipher"]["OPTIONS"]["api_url"] = f"http://127.0.0.1:{closed_port()}/api"
    failure = ask_for_otp(ready_id)
    assert (type(failure), failure.code) == (ProviderUnavailable, "host_unavailable")


@pytest.mark.parametrize("fault", [{"delay_ms": 30_000}, {"drip": True}, {"delay_ms": 30_000, "status": 500}])
def test_a_slow_host_costs_a_viewer_four_seconds(sandbox, ready_id, fault):
    sandbox.fault(service="vdocipher", path=OTP, times=0, **fault)
    failure = ask_for_otp(ready_id)
    assert (type(failure), failure.code) == (ProviderUnavailable, "host_timeout")


def test_wrong_credentials_are_told_apart_and_not_tried_again(sandbox, settings, ready_id):
    settings.VIDEO_PROVIDERS["vdocipher"]["OPTIONS"]["api_secret"] = "vdo_sandbox_wrong"
    assert type(ask_for_otp(ready_id)) is CredentialsRejected
    assert otp_calls(sandbox) == 1


@pytest.mark.parametrize("status", [400, 401])
def test_a_garbled_authorization_header_means_credentials_too(sandbox, ready_id, status):
    body = '{"message":"Bad formatting of Authorization header"}'
    sandbox.fault(service="vdocipher", path=OTP, status=status, body=body)
    assert type(ask_for_otp(ready_id)) is CredentialsRejected


def test_a_rate_limit_says_when_to_come_back(sandbox, ready_id):
    sandbox.fault(service="vdocipher", path=OTP, status=429, headers={"Retry-After": "60"}, times=0)
    failure = ask_for_otp(ready_id)
    assert (type(failure), failure.retry_after_s) == (RateLimited, 60)
    assert otp_calls(sandbox) == 1


def test_a_short_rate_limit_is_waited_for(sandbox, ready_id):
    sandbox.fault(service="vdocipher", path=OTP, status=429, headers={"Retry-After": "1"})
    started = time.monotonic()
    assert providers["vdocipher"].get_playback(make_request(ready_id)).otp
    assert time.monotonic() - started >= 1


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 500, "body": '{"message":"Internal server error: jtngxq0pptokpbxaa4hgi"}'},
        {"status": 200, "body": '{"message":"Internal server error: jtngxq0pptokpbxaa4hgi"}'},
        {"status": 503, "body": "<h1>Sorry</h1>", "content_type": "text/html"},
        {"drop": True},
    ],
)
def test_a_failure_of_the_host_is_tried_three_times(sandbox, ready_id, fault):
    sandbox.fault(service="vdocipher", path=OTP, times=0, **fault)
    failure = ask_for_otp(ready_id)
    assert (type(failure), failure.code) == (ProviderUnavailable, "host_unavailable")
    assert otp_calls(sandbox) == 3


@pytest.mark.parametrize("fault", [{"status": 500}, {"drop": True}])
def test_a_failure_that_passes_is_not_seen(sandbox, ready_id, fault):
    sandbox.fault(service="vdocipher", path=OTP, times=2, **fault)
    assert providers["vdocipher"].get_playback(make_request(ready_id)).otp


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 200, "body": "<h1>Welcome</h1>", "content_type": "text/html"},
        {"missing": ["otp"]},
        {"missing": ["playbackInfo"]},
        {"missing": ["otp", "playbackInfo"]},
        {"status": 200, "body": '{"otp": 1, "playbackInfo": []}'},
        {"status": 200, "body": "[]"},
        {"status": 404, "body": "<h1>Not found</h1>", "content_type": "text/html"},
        {"status": 302, "body": "{}", "headers": {"Location": "http://127.0.0.1:1/"}},
    ],
)
def test_an_answer_that_makes_no_sense_is_malformed(sandbox, ready_id, fault):
    sandbox.fault(service="vdocipher", path=OTP, times=0, **fault)
    assert type(ask_for_otp(ready_id)) is MalformedResponse
    assert otp_calls(sandbox) == 1


def test_a_deleted_video_is_not_found(sandbox, ready_id):
    providers["vdocipher"].delete(ready_id)
    assert type(ask_for_otp(ready_id)) is AssetNotFound


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ({"status": 500}, "host_unavailable"),
        ({"status": 401}, "host_credentials_rejected"),
        ({"delay_ms": 30_000}, "host_timeout"),
    ],
)
def test_a_ping_says_why_it_failed(sandbox, fault, code):
    sandbox.fault(service="vdocipher", path="/vdocipher/api/videos", times=0, **fault)
    ping = providers["vdocipher"].ping()
    assert (ping.is_reachable, ping.error_code) == (False, code)
    assert ping.response_ms < 3500


@pytest.mark.parametrize("fault", [{"drop": True}, {"status": 500}, {"status": 400}, {"status": 401}, {"status": 418}])
def test_nothing_secret_and_nobody_s_name_leaks_from_a_failure(sandbox, ready_id, fault, caplog):
    caplog.set_level(logging.INFO)
    sandbox.fault(service="vdocipher", path=OTP, times=0, **fault)
    failure = ask_for_otp(ready_id)
    shown = "".join(traceback.format_exception(failure)) + repr(failure) + caplog.text
    for hidden in (API_SECRET, "ada@example.com", "Ada", "203.0.113.7", ready_id):
        assert hidden not in shown


def test_a_dead_host_soon_costs_nothing(sandbox, settings, ready_id):
    settings.VIDEO_HOST_BREAKER_COOL_DOWN_S = 60
    sandbox.fault(service="vdocipher", path=OTP, status=500, times=0)
    ask_for_otp(ready_id)
    ask_for_otp(ready_id)
    asked = otp_calls(sandbox)
    failure = ask_for_otp(ready_id)
    assert (failure.code, otp_calls(sandbox)) == ("host_circuit_open", asked)
    assert 0 < failure.retry_after_s <= 60
