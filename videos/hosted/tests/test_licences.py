"""The doors of the licence server, as players use them."""

import base64
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.utils import timezone

from videos.hosted.models import HostedVideo, KeyState, Licence, PackageState, Scheme, SpentToken
from videos.hosted.services.clearing.sweeping import sweep
from videos.hosted.services.content_keys import keys
from videos.hosted.services.licence_server import licence_limits, licence_tokens
from videos.hosted.services.licence_server.licensing import BODY_MAX_BYTES, issue
from videos.hosted.tests.licence_requests import (
    CLEARKEY,
    DEVICE,
    ask,
    base64url,
    client,
    make_package,
    make_player,
    refusal,
    results,
)
from videos.hosted.tests.making import KEY, KID
from videos.models import PlaybackSession, SessionState
from videos.services.errors import LicenceRefused
from videos.services.sessions import revoke
from videos.services.tokens import end_token, session_token
from videos.tests.factories import bearer, make_user
from videos.tests.statements import counted_statements
from videos.tests.viewings import make_viewer

pytestmark = pytest.mark.django_db

OTHER_KID = UUID("b0b1b2b3-b4b5-46b7-b8b9-babbbcbdbebf")
UNIFORM = {
    "type": "client_error",
    "errors": [{"code": "licence_refused", "detail": "No licence is given.", "attr": None}],
}


@pytest.fixture(autouse=True)
def _own_host(hosted):
    licence_limits.refusal_quota.reset()


def options_of(settings) -> dict:
    return settings.VIDEO_PROVIDERS["hosted"]["OPTIONS"]


def change(player, **values):
    PlaybackSession.objects.filter(pk=player.session.pk).update(**values)


def test_a_player_gets_the_key_of_its_token_and_the_record_says_so():
    user = make_user()
    player = make_player(user=user)
    with counted_statements() as statements:
        answer = ask(player.token(), kids=[KID, KID])
    assert len(statements) == 4, statements
    assert json.loads(answer.content) == {
        "keys": [{"kty": "oct", "kid": "oKGio6SlRqeoqaqrrK2urw", "k": base64.urlsafe_b64encode(KEY).decode()[:22]}],
        "type": "temporary",
    }
    assert answer.headers["Cache-Control"] == "no-store"
    assert not answer.cookies
    row = Licence.objects.get()
    assert (row.system, row.kind, row.result, row.valid_s) == ("clearkey", "first", "issued", 3600)
    assert (row.session, row.user, row.video_id) == (player.session, user, player.session.video_id)
    assert (row.key, row.ip) == (player.package.key, "127.0.0.1")
    assert row.device == licence_tokens.device_digest(DEVICE)


def test_the_grant_tells_where_licences_are_and_an_open_package_needs_none():
    player = make_player()
    assert player.drm()["systems"] == {"org.w3.clearkey": {"license_url": CLEARKEY}}
    assert player.drm()["scheme"] == "cbcs"
    with counted_statements() as statements:
        player.token()
    assert not statements
    in_playlists = make_player(package=make_package(scheme=Scheme.AES128, kid=OTHER_KID))
    assert in_playlists.drm() == {"scheme": "aes128", "token": "", "systems": {}}
    player.package.key = None
    assert player.drm() == {}


def test_a_token_is_good_once_and_the_session_takes_over():
    player = make_player()
    token = player.token()
    assert ask(token).status_code == 200
    with counted_statements() as statements:
        second = ask(token)
    assert len(statements) == 2, "a used token touches no session"
    assert refusal(second) == (403, "token_used")
    assert second.json() == UNIFORM
    with counted_statements() as statements:
        renewed = ask(player.renewal_token())
    assert renewed.json()["keys"][0]["kid"] == base64url(KID)
    assert len(statements) == 3, statements
    assert results() == ["issued", "token_used", "issued"]
    assert Licence.objects.last().kind == "first"
    assert Licence.objects.first().kind == "renewal"


def test_a_renewal_before_the_first_licence_is_refused():
    assert refusal(ask(make_player().renewal_token())) == (403, "no_first_licence")


def test_a_renewal_is_for_the_key_of_the_session_even_after_a_rotation():
    player = make_player()
    ask(player.token())
    newer = make_package(kid=OTHER_KID)
    newer.video = player.package.video
    newer.save()
    HostedVideo.objects.filter(pk=player.package.video_id).update(package=newer)
    assert ask(player.renewal_token()).status_code == 200
    assert refusal(ask(player.renewal_token(), kids=[OTHER_KID])) == (403, "kid_not_allowed")


@pytest.mark.parametrize("kids", [[OTHER_KID], [KID, OTHER_KID]])
def test_a_key_of_another_video_is_not_given(kids):
    make_package(kid=OTHER_KID)
    player = make_player()
    token = player.token()
    assert refusal(ask(token, kids=kids)) == (403, "kid_not_allowed")
    assert ask(token).status_code == 200


def forged(player) -> dict[str, str]:
    """Bearers that open nothing, by the code of their refusal and a word."""
    named = {"session_id": player.session.public_id, "package_id": player.package.public_id, "kid": KID}
    named |= {"device_id": DEVICE, "ttl_s": 60}
    good = player.token()
    return {
        "token_invalid none": "",
        "token_invalid garbage": "garbage",
        "token_invalid changed": good[:-1] + ("A" if good[-1] != "A" else "B"),
        "token_invalid of a playlist's key": player.playlist_key_url().split("/")[-2],
        "token_invalid that ends the session": end_token(player.session.public_id),
        "token_invalid of a log-in": bearer(make_user()),
        "token_expired": licence_tokens.sign(audience=licence_tokens.LICENCE, **named | {"ttl_s": 0}),
        "package_gone other key": licence_tokens.sign(audience=licence_tokens.LICENCE, **named | {"kid": OTHER_KID}),
        "package_gone other session": licence_tokens.sign(
            audience=licence_tokens.LICENCE, **named | {"session_id": uuid4()}
        ),
        "wrong_device of another device": licence_tokens.sign(
            audience=licence_tokens.LICENCE, **named | {"device_id": "device-0002"}
        ),
        "no_first_licence of a session that is none": session_token(uuid4()),
    }


def test_bearers_that_prove_nothing_are_refused_alike():
    for name, token in forged(make_player()).items():
        answer = ask(token)
        assert (refusal(answer), answer.json()) == ((403, name.split()[0]), UNIFORM), name
    assert "issued" not in results()
    assert refusal(client.post(CLEARKEY, "{}", content_type="application/json")) == (403, "token_invalid")


def test_a_log_in_in_the_browser_opens_nothing(client):
    player = make_player(user=make_user())
    client.force_login(player.session.viewer.user)
    assert refusal(client.post(CLEARKEY, "{}", content_type="application/json")) == (403, "token_invalid")


def test_another_device_gets_no_licence_neither_at_first_nor_later():
    player = make_player(user=make_user())
    token = player.token()
    assert refusal(ask(token, device="device-0002")) == (403, "wrong_device")
    assert refusal(ask(token, device="")) == (403, "wrong_device")
    assert ask(token).status_code == 200
    assert refusal(ask(player.renewal_token(), device="device-0002")) == (403, "wrong_device")


def test_a_device_that_its_player_cannot_name_is_bound_by_the_token():
    anonymous = make_player()
    assert ask(anonymous.token(), device="").status_code == 200
    unnamed = make_player(package=anonymous.package, user=make_user(), device_id="unnamed-1234")
    assert ask(unnamed.token(), device="").status_code == 200


@pytest.mark.parametrize(
    ("state", "code"), [(SessionState.REVOKED, "session_revoked"), (SessionState.ENDED, "session_ended")]
)
def test_a_session_that_is_over_gets_no_licence(state, code):
    player = make_player()
    token = player.token()
    ask(player.token())
    change(player, state=state)
    assert refusal(ask(token)) == (403, code)
    assert refusal(ask(player.renewal_token())) == (403, code)


def test_a_right_that_ended_ends_the_licences():
    user = make_user()
    player = make_player(user=user)
    token = player.token()
    revoke(user_id=user.pk, video_ids=None, reason="refund")
    assert refusal(ask(token)) == (403, "session_revoked")


def test_a_revoked_key_is_given_to_nobody_at_once():
    player = make_player()
    ask(player.token())
    token = player.token()
    keys.revoke(video=player.package.video, reason="leak")
    assert refusal(ask(token)) == (403, "key_revoked")
    assert refusal(ask(player.renewal_token())) == (403, "key_revoked")
    assert player.package.key.state == KeyState.ACTIVE


@pytest.mark.parametrize("state", [PackageState.BUILDING, PackageState.ABANDONED, PackageState.EMPTIED])
def test_a_package_that_does_not_play_has_no_licence(state):
    package = make_package(state=state)
    assert refusal(ask(make_player(package=package).token())) == (403, "package_gone")


def test_a_deleted_video_has_no_licence():
    player = make_player()
    HostedVideo.objects.update(deleted_at=timezone.now())
    assert refusal(ask(player.token())) == (403, "package_gone")


def test_too_many_streams_are_told_and_the_token_stays_good():
    viewer = make_viewer()
    elsewhere = make_player(viewer=viewer, device_id="elsewhere")
    player = make_player(package=elsewhere.package, viewer=viewer, max_streams=1, lease_expires_at=None)
    token = player.token()
    answer = ask(token)
    assert refusal(answer) == (409, "too_many_streams")
    assert answer.json()["errors"][0]["code"] == "too_many_streams"
    assert answer.json()["sessions"][0]["id"] == str(elsewhere.session.public_id)
    change(elsewhere, state=SessionState.ENDED)
    with counted_statements() as statements:
        assert ask(token).status_code == 200
    assert len(statements) <= 7, statements
    player.session.refresh_from_db()
    assert player.session.lease_expires_at > timezone.now()


@pytest.mark.parametrize(
    "body",
    [
        *("", "{", "[]", "null", '"kids"', "[" * 4000, '{"kids": null}', '{"kids": []}', '{"kids": {"a": 1}}'),
        *('{"kids": [1]}', '{"kids": ["AAAA"]}', '{"kids": ["€€"]}', '{"kids": [["oKGio6SlRqeoqaqrrK2urw"]]}'),
        *('{"kids": ["oKGio6SlRqeoqaqrrK2urw"], "type": 1e999}', b"\xff\xfe", '{"kids": ["\\ud800"]}'),
        json.dumps({"kids": ["oKGio6SlRqeoqaqrrK2urw"] * 33}),
    ],
    ids=lambda body: str(body[:24]),
)
def test_a_body_that_is_no_request_is_refused_and_the_token_stays_good(body):
    player = make_player()
    token = player.token()
    status, code = refusal(ask(token, body=body))
    assert (status, code.startswith("challenge_")) == (400, True)
    assert ask(token).status_code == 200


def test_a_licence_to_be_stored_is_not_given():
    body = json.dumps({"kids": [base64url(KID)], "type": "persistent-license"})
    assert refusal(ask(make_player().token(), body=body)) == (400, "challenge_unsupported")


@pytest.mark.parametrize("size", [BODY_MAX_BYTES + 1, 4_000_000])
def test_a_body_that_is_too_large_is_refused_before_its_token_is_read(size):
    assert refusal(ask("", body="x" * size)) == (413, "too_large")
    assert results() == ["too_large"]


def test_a_system_that_the_host_does_not_offer_is_refused(settings):
    player = make_player()
    assert refusal(ask(player.token(), url="/api/videos/licences/widevine/")) == (403, "system_unsupported")
    assert refusal(ask(player.token(), url="/api/videos/licences/aes128/")) == (403, "system_unsupported")
    options_of(settings)["licences"] = []
    assert player.drm()["systems"] == {}
    named = {"session_id": player.session.public_id, "package_id": player.package.public_id, "kid": KID}
    token = licence_tokens.sign(audience=licence_tokens.LICENCE, **named, device_id=DEVICE, ttl_s=60)
    assert refusal(ask(token)) == (403, "system_unsupported")


def test_a_playlist_key_comes_as_sixteen_bytes_once():
    player = make_player(package=make_package(scheme=Scheme.AES128), user=make_user())
    url = player.playlist_key_url()
    answer = client.get(url)
    assert (answer.status_code, answer.content) == (200, KEY)
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["Cache-Control"] == "no-store"
    assert refusal(client.get(url)) == (403, "token_used")
    assert client.get(player.playlist_key_url()).content == KEY
    assert client.head(player.playlist_key_url()).status_code == 405
    assert client.post(player.playlist_key_url()).status_code == 405
    licence_token = make_player(package=player.package).renewal_token()
    assert refusal(client.get(f"/api/videos/licences/key/{licence_token}/")) == (403, "token_invalid")
    change(player, state=SessionState.REVOKED)
    assert refusal(client.get(player.playlist_key_url())) == (403, "session_revoked")


def test_the_address_of_a_playlist_key_that_is_still_good_is_not_logged(settings, caplog):
    url = make_player(package=make_package(scheme=Scheme.AES128)).playlist_key_url()
    good = options_of(settings)["key_store"]
    options_of(settings)["key_store"] = {"BACKEND": good["BACKEND"], "OPTIONS": {"keys": {"kek-1": "broken"}}}
    assert [client.get(url).status_code, client.put(url).status_code] == [503, 405]
    assert "content key" in caplog.text
    assert url not in caplog.text


def test_a_playlist_key_is_for_its_own_scheme_alone():
    player = make_player()
    assert refusal(client.get(player.playlist_key_url())) == (403, "system_unsupported")


def test_a_user_is_given_so_many_licences_in_five_minutes(settings):
    options_of(settings)["licences_per_5_min"] = 2
    user = make_user()
    player = make_player(user=user)
    assert [ask(player.token()).status_code for _ in range(2)] == [200, 200]
    token = player.token()
    limited = ask(token)
    assert refusal(limited) == (429, "too_many_licences")
    assert 200 < int(limited.headers["Retry-After"]) <= 300
    assert refusal(ask(player.renewal_token()))[0] == 429
    assert ask(make_player(package=player.package, user=make_user()).token()).status_code == 200
    Licence.objects.update(created_at=timezone.now() - timedelta(minutes=6))
    assert ask(token).status_code == 200


def test_a_viewer_without_an_account_is_limited_too(settings):
    options_of(settings)["licences_per_5_min"] = 2
    player = make_player()
    asked = [ask(token).status_code for token in (player.token(), player.renewal_token(), player.renewal_token())]
    assert asked == [200, 200, 429]
    assert ask(make_player(package=player.package).token()).status_code == 200


def given(count, **values):
    Licence.objects.bulk_create(
        Licence(system="clearkey", result=licence_limits.ISSUED, **values) for _ in range(count)
    )


def test_addresses_and_videos_have_larger_limits(settings):
    options_of(settings)["licences_per_5_min"] = 1
    player, *others = (make_player(package=package) for package in [make_package()] * 4)
    given(licence_limits.PER_ADDRESS - 1, ip="127.0.0.1")
    given(licence_limits.PER_VIDEO - 2, video=player.session.video)
    assert ask(player.token()).status_code == 200
    assert refusal(ask(others[0].token())) == (429, "too_many_licences")
    Licence.objects.filter(ip="127.0.0.1").update(ip="192.0.2.1")
    assert ask(others[1].token()).status_code == 200
    Licence.objects.filter(ip="127.0.0.1").update(ip="192.0.2.1")
    assert refusal(ask(others[2].token())) == (429, "too_many_licences")


def test_garbage_fills_no_table(django_assert_num_queries):
    for _ in range(licence_limits.NOTED_PER_SOURCE):
        ask("garbage")
    with django_assert_num_queries(0):
        assert refusal(ask("garbage")) == (403, "token_invalid")
    assert Licence.objects.count() == licence_limits.NOTED_PER_SOURCE
    assert ask(make_player().token()).status_code == 200


def test_a_key_store_that_is_wrong_gives_a_retry_and_the_token_stays_good(settings):
    player = make_player()
    token = player.token()
    options = options_of(settings)
    good = options["key_store"]
    options["key_store"] = {"BACKEND": good["BACKEND"], "OPTIONS": {"keys": {"kek-1": "broken"}}}
    unavailable = ask(token)
    assert refusal(unavailable) == (503, "licence_unavailable")
    assert unavailable.headers["Retry-After"] == "10"
    options["key_store"] = {"BACKEND": good["BACKEND"], "OPTIONS": {"keys": {"other": "x"}}}
    assert refusal(ask(token)) == (503, "key_unreadable")
    for part in ("key_store", "licences"):
        broken = {"BACKEND": "videos.hosted.nowhere.Nothing"}
        settings.VIDEO_PROVIDERS["hosted"]["OPTIONS"] = options | {part: broken if part == "key_store" else [broken]}
        assert refusal(ask(token)) == (503, "host_misconfigured")
    settings.VIDEO_PROVIDERS["hosted"]["OPTIONS"] = options
    entry = settings.VIDEO_PROVIDERS.pop("hosted")
    assert refusal(ask(token)) == (503, "host_misconfigured")
    settings.VIDEO_PROVIDERS["hosted"] = entry
    options["key_store"] = good
    assert ask(token).status_code == 200


def test_players_of_other_origins_may_ask_and_read_why_not(settings):
    settings.CORS_ALLOWED_ORIGINS = ["https://school.example"]
    origin = {"Origin": "https://school.example"}
    asked = {"Access-Control-Request-Method": "POST"}
    asked["Access-Control-Request-Headers"] = "authorization, content-type, x-device-id"
    preflight = client.options(CLEARKEY, headers=origin | asked)
    allowed = preflight.headers["Access-Control-Allow-Headers"].split(", ")
    assert {"authorization", "x-device-id", "content-type"} <= set(allowed)
    refused = ask("garbage", **origin)
    assert refused.headers["Access-Control-Allow-Origin"] == "https://school.example"
    assert "X-Licence-Error" in refused.headers["Access-Control-Expose-Headers"]
    assert "Access-Control-Allow-Credentials" not in refused.headers
    stranger = ask("garbage", Origin="https://elsewhere.example")
    assert "Access-Control-Allow-Origin" not in stranger.headers


def test_a_spent_token_is_remembered_for_longer_than_it_is_good():
    player = make_player()
    ask(player.token())
    assert SpentToken.objects.get().expires_at.timestamp() > time.time() + 120 + 60


def test_a_thorough_sweep_forgets_addresses_and_then_the_record(settings):
    settings.VIDEO_ADDRESS_DAYS, settings.VIDEO_SESSION_DAYS = 10, 20
    for days in (9, 11, 21):
        given(1, ip="192.0.2.1", created_at=timezone.now() - timedelta(days=days))
    sweep()
    assert Licence.objects.filter(ip="192.0.2.1").count() == 3
    sweep(is_thorough=True)
    assert list(Licence.objects.order_by("created_at").values_list("ip", flat=True)) == [None, "192.0.2.1"]


@pytest.mark.django_db(transaction=True)
def test_of_two_players_with_one_token_one_gets_the_licence():
    player = make_player()
    token, barrier = player.token(), threading.Barrier(4)
    body = json.dumps({"kids": [base64url(KID)]}).encode()

    def play(_):
        barrier.wait(timeout=10)
        try:
            issue(system="clearkey", token=token, body=body, content_type="", device_id=DEVICE, ip="192.0.2.1")
            return "issued"
        except LicenceRefused as refused:
            return refused.code
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        outcomes = sorted(pool.map(play, range(4)))
    assert outcomes == ["issued", "token_used", "token_used", "token_used"]
    assert sorted(results()) == outcomes
