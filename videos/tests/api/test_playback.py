import time

import pytest

from videos.models import AccessLevel, AssetStatus, PlaybackSession, SessionState, Viewer
from videos.tests.factories import host_video, make_user, make_video
from videos.tests.statements import counted_statements

DEVICE = {"device_id": "device-of-the-test"}
OTP_PATH = r"/vdocipher/api/videos/\w+/otp"


def playback(client, video, **body):
    return client.post(f"/api/videos/{video.pk}/playback/", DEVICE | body)


def codes(response) -> list[str]:
    return [error["code"] for error in response.json()["errors"]]


def test_a_grant_holds_what_the_player_needs(sandbox, viewer, client_of):
    video = host_video(sandbox, asset={"poster_url": "https://images.test/p.jpg"})
    response = playback(client_of(viewer), video)
    assert response.status_code == 200
    grant = response.json()
    session = PlaybackSession.objects.get()
    assert grant["player"] == "vdocipher"
    assert len(grant["vdocipher"]["otp"]) == 64
    assert grant["vdocipher"]["embed_url"].startswith(sandbox.vdocipher_player_url)
    assert grant["session"]["id"] == str(session.public_id)
    assert grant["session"]["heartbeat_url"] == f"/api/videos/sessions/{session.public_id}/heartbeat/"
    assert grant["session"]["heartbeat_seconds"] == 10
    assert grant["session"]["lease_expires_at"] is not None
    assert grant["expires_at"].endswith("Z")
    assert (grant["duration"], grant["resume_position"], grant["captions"]) == (60.0, 0, [])
    assert (grant["poster_url"], grant["protection"]) == ("https://images.test/p.jpg", "drm")


def test_no_answer_of_the_grant_is_cached(sandbox, viewer, client_of):
    client = client_of(viewer)
    assert playback(client, host_video(sandbox))["Cache-Control"] == "no-store"
    assert playback(client, make_video(asset=False))["Cache-Control"] == "no-store"


def test_a_grant_is_written_down_with_who_what_when_and_from_where(sandbox, viewer, client_of):
    video = host_video(sandbox)
    client_of(viewer).post(
        f"/api/videos/{video.pk}/playback/",
        DEVICE,
        HTTP_USER_AGENT="Fire\x07fox/1" + "x" * 300,
        REMOTE_ADDR="203.0.113.9",
    )
    session = PlaybackSession.objects.get()
    assert session.viewer == Viewer.objects.get(user=viewer)
    assert (session.video, session.asset) == (video, video.assets.get())
    assert (session.state, session.door, session.device_id) == ("issued", "playback", DEVICE["device_id"])
    assert session.ip == "203.0.113.9"
    assert session.user_agent.startswith("Fire?fox/1")
    assert len(session.user_agent) == 255


def test_every_grant_has_its_own_password(sandbox, viewer, client_of):
    video, client = host_video(sandbox), client_of(viewer)
    first, second = playback(client, video).json(), playback(client, video).json()
    assert first["vdocipher"]["otp"] != second["vdocipher"]["otp"]


def test_an_unknown_video_is_not_found(viewer, client_of):
    response = client_of(viewer).post("/api/videos/00000000-0000-4000-8000-000000000000/playback/", DEVICE)
    assert (response.status_code, codes(response)) == (404, ["not_found"])


def test_nobody_signed_in_is_asked_to_sign_in(client_of):
    response = playback(client_of(), make_video())
    assert (response.status_code, codes(response)) == (401, ["not_authenticated"])
    assert response["WWW-Authenticate"].startswith("Bearer")


def test_a_forged_bearer_is_refused(client_of):
    client = client_of()
    client.credentials(HTTP_AUTHORIZATION="Bearer abc.def.ghi")
    response = playback(client, make_video())
    assert (response.status_code, codes(response)) == (401, ["token_not_valid"])


def test_who_has_no_right_is_told_the_code(viewer, client_of):
    response = playback(client_of(viewer), make_video(access_level=AccessLevel.ENTITLED))
    assert (response.status_code, codes(response)) == (403, ["not_entitled"])
    assert not PlaybackSession.objects.exists()


def test_who_has_too_low_a_tier_is_told_the_one_that_would_do(viewer, client_of):
    response = playback(client_of(viewer), make_video(access_level=AccessLevel.TIER, required_tier="pro"))
    assert (response.status_code, codes(response), response.json()["tier"]) == (403, ["tier_too_low"], "pro")


def test_access_is_checked_before_status(viewer, client_of):
    video = make_video(access_level=AccessLevel.ENTITLED, asset={"status": AssetStatus.FAILED})
    assert playback(client_of(viewer), video).status_code == 403


@pytest.mark.parametrize("status", [AssetStatus.WAITING, AssetStatus.PROCESSING])
def test_a_video_in_preparation_answers_425_without_asking_the_host(sandbox, viewer, client_of, status):
    response = playback(client_of(viewer), host_video(sandbox, asset={"status": status}))
    assert (response.status_code, codes(response)) == (425, ["video_not_ready"])
    assert response.json()["status"] == status
    assert response["Retry-After"] == "10"
    assert sandbox.calls("vdocipher") == []


@pytest.mark.parametrize("status", [AssetStatus.FAILED, AssetStatus.DELETED])
def test_a_failed_or_deleted_video_answers_409(viewer, client_of, status):
    response = playback(client_of(viewer), make_video(asset={"status": status}))
    assert (response.status_code, codes(response)) == (409, [f"video_{status}"])


def test_a_video_without_a_copy_answers_409(viewer, client_of):
    response = playback(client_of(viewer), make_video(asset=False))
    assert (response.status_code, codes(response)) == (409, ["video_missing"])


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ({"status": 500}, "host_unavailable"),
        ({"status": 429, "headers": {"Retry-After": "17"}}, "host_unavailable"),
        ({"status": 401, "body": '{"message": "nope"}'}, "host_misconfigured"),
        ({"body": "<html>Down</html>", "content_type": "text/html"}, "host_unavailable"),
        ({"missing": ["otp"]}, "host_unavailable"),
        ({"drop": True}, "host_unavailable"),
        ({"drip": True}, "host_unavailable"),
        ({"delay_ms": 30000}, "host_unavailable"),
    ],
    ids=["error", "rate limited", "wrong key", "html", "no otp", "cut", "dripping", "slow"],
)
def test_a_host_in_trouble_answers_503_within_the_deadline(sandbox, viewer, client_of, fault, code):
    video = host_video(sandbox)
    sandbox.fault(service="vdocipher", path=OTP_PATH, times=0, **fault)
    started = time.monotonic()
    response = playback(client_of(viewer), video)
    assert time.monotonic() - started < 6
    assert (response.status_code, codes(response)) == (503, [code])
    assert int(response["Retry-After"]) >= 1
    assert "sandbox" not in response.content.decode()
    session = PlaybackSession.objects.get()
    assert (session.state, session.lease_expires_at) == (SessionState.FAILED, None)


def test_the_hosts_own_retry_after_is_passed_on(sandbox, viewer, client_of):
    video = host_video(sandbox)
    sandbox.fault(service="vdocipher", path=OTP_PATH, times=0, status=429, headers={"Retry-After": "17"})
    assert playback(client_of(viewer), video)["Retry-After"] == "17"


def test_a_host_that_is_not_there_answers_503(settings, sandbox, viewer, client_of):
    video = host_video(sandbox)
    settings.VIDEO_PROVIDERS["vdocipher"]["OPTIONS"]["api_url"] = "http://127.0.0.1:1/api"
    assert codes(playback(client_of(viewer), video)) == ["host_unavailable"]


def test_a_host_that_is_no_longer_configured_answers_503(settings, sandbox, viewer, client_of, caplog):
    video = host_video(sandbox)
    settings.VIDEO_PROVIDERS = {}
    assert codes(playback(client_of(viewer), video)) == ["host_misconfigured"]
    assert "VIDEO_PROVIDERS" in caplog.text


def test_a_failed_start_holds_no_stream(settings, sandbox, viewer, client_of):
    settings.VIDEO_MAX_CONCURRENT_STREAMS = 1
    video, client = host_video(sandbox), client_of(viewer)
    sandbox.fault(service="vdocipher", path=OTP_PATH, times=3, status=400, body='{"message": "no"}')
    assert playback(client, video, device_id="first-device").status_code == 425
    sandbox.context.faults.clear()
    assert playback(client, video, device_id="second-device").status_code == 200


def test_the_host_saying_that_a_ready_video_is_not_there_has_it_looked_at_again(sandbox, viewer, client_of):
    video = make_video()
    response = playback(client_of(viewer), video)
    assert (response.status_code, codes(response)) == (409, ["video_missing"])
    assert video.assets.get().next_poll_at is not None


@pytest.mark.parametrize("device_id", ["", "short", "x" * 65, "späces and more"])
def test_a_device_id_must_look_like_one(viewer, client_of, device_id):
    response = playback(client_of(viewer), make_video(), device_id=device_id)
    assert response.status_code == 400
    assert response.json()["errors"][0]["attr"] == "device_id"


def test_the_viewers_watermark_and_id_reach_the_host(sandbox, viewer, client_of):
    playback(client_of(viewer), host_video(sandbox))
    (call,) = [call for call in sandbox.calls("vdocipher") if call["path"].endswith("/otp")]
    assert viewer.get_username() in call["body"]
    assert f'"userId": "{viewer.pk}"' in call["body"].replace('":"', '": "')


def test_staff_are_neither_limited_nor_counted(settings, sandbox, client_of):
    settings.VIDEO_MAX_CONCURRENT_STREAMS = 1
    video, client = host_video(sandbox, access_level=AccessLevel.ENTITLED), client_of(make_user(is_staff=True))
    for device in ("device-one", "device-two"):
        assert playback(client, video, device_id=device).status_code == 200
    assert set(PlaybackSession.objects.values_list("is_counted", "state")) == {(False, "issued")}


def test_anybody_may_watch_a_public_video_and_is_known_again_by_a_signed_cookie(sandbox, client_of):
    video, client = host_video(sandbox, access_level=AccessLevel.PUBLIC), client_of()
    first = playback(client, video)
    assert first.status_code == 200
    assert first.cookies["video_device"]["httponly"]
    assert "video_device" not in playback(client, video).cookies
    (known,) = Viewer.objects.all()
    assert known.user is None
    assert len(known.device_key) == 32


def test_a_forged_device_cookie_makes_a_new_viewer(sandbox, client_of):
    video, client = host_video(sandbox, access_level=AccessLevel.UNLISTED), client_of()
    playback(client, video)
    client.cookies["video_device"] = "forged:cookie:value"
    assert "video_device" in playback(client, video).cookies
    assert Viewer.objects.count() == 2


def test_grants_are_throttled_per_user(settings, sandbox, viewer, client_of):
    settings.REST_FRAMEWORK = settings.REST_FRAMEWORK | {"DEFAULT_THROTTLE_RATES": {"playback": "2/min"}}
    video, client = host_video(sandbox), client_of(viewer)
    assert [playback(client, video).status_code for _ in range(3)] == [200, 200, 429]
    refused = playback(client, video)
    assert codes(refused) == ["throttled"]
    assert 0 < int(refused["Retry-After"]) <= 60
    assert playback(client_of(make_user()), video).status_code == 200


def test_a_grant_costs_six_statements_however_much_there_is(settings, sandbox, viewer, client_of):
    settings.VIDEO_MAX_CONCURRENT_STREAMS = 30
    video, client = host_video(sandbox), client_of(viewer)
    costs = []
    for amount in (2, 12):
        for number in range(amount):
            make_video()
            playback(client, video, device_id=f"other-device-{number}")
        with counted_statements() as statements:
            assert playback(client, video, device_id=f"new-device-{amount}").status_code == 200
        costs.append(len(statements))
    assert PlaybackSession.objects.live().count() == 14
    assert costs == [6, 6], statements


def test_the_otp_door_answers_in_the_players_words(sandbox, viewer, client_of):
    response = client_of(viewer).post(f"/api/videos/{host_video(sandbox).pk}/otp/", {})
    assert response.status_code == 200
    assert set(response.json()) == {"otp", "playbackInfo", "session", "expires_at"}
    assert response["Cache-Control"] == "no-store"
    assert PlaybackSession.objects.get().lease_expires_at is not None


@pytest.mark.parametrize("method", ["get", "put", "patch", "delete"])
def test_a_grant_is_asked_for_by_post_alone(viewer, client_of, method):
    response = getattr(client_of(viewer), method)(f"/api/videos/{make_video().pk}/playback/")
    assert (response.status_code, codes(response)) == (405, ["method_not_allowed"])
