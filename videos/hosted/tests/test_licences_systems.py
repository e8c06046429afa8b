"""DRM systems to come: what the licence server makes of a device that the system vouches for, of a request that may
come once, and of one that says itself whether it renews."""

import json

import pytest

from videos.hosted.models import Licence, SpentToken
from videos.hosted.seams.licence import Challenge, ChallengeRefused, LicenceAnswer
from videos.hosted.services.licence_server import licence_limits
from videos.hosted.tests.licence_requests import client, make_player, refusal
from videos.hosted.tests.making import IV, KEY, KID

pytestmark = pytest.mark.django_db

LICENCE = "/api/videos/licences/vouched/"


class Vouched:
    """As FairPlay: bytes in and out, no key ids, a device of its own; `policy` comes back with the key."""

    system = "vouched"
    key_system = "com.example.vouched"
    schemes = ("cbcs",)
    body_max_bytes = 8192

    def read(self, body, content_type):
        if content_type != "application/octet-stream":
            raise ChallengeRefused("challenge_type")
        said = json.loads(body)
        return Challenge(kids=(), body=body, **said)

    def answer(self, challenge, keys, *, valid_s):
        if challenge.device == "broken":
            raise ChallengeRefused("challenge_security_level")
        (material,) = keys.values()
        assert (material.kid, material.iv) == (KID, IV)
        return LicenceAnswer(body=b"%d:" % valid_s + material.key, content_type="application/octet-stream")


@pytest.fixture(autouse=True)
def _own_system(hosted, settings):
    licence_limits.refusal_quota.reset()
    settings.VIDEO_PROVIDERS["hosted"]["OPTIONS"]["licences"] = [{"BACKEND": f"{__name__}.Vouched"}]


def ask(token, content_type="application/octet-stream", **said):
    return client.post(LICENCE, json.dumps(said), content_type, headers={"Authorization": f"Bearer {token}"})


def test_a_system_without_key_ids_gets_the_key_of_its_token_with_iv_and_time():
    player = make_player()
    assert player.drm()["systems"] == {"com.example.vouched": {"license_url": LICENCE}}
    answer = ask(player.token(), device="hu-1", replay_id="spc-1", is_renewal=False)
    assert (answer.status_code, answer.content) == (200, b"3600:" + KEY)
    assert answer.headers["Content-Type"] == "application/octet-stream"
    row = Licence.objects.get()
    assert row.device
    assert "hu-1" not in row.device
    assert SpentToken.objects.count() == 2


def test_a_renewal_comes_from_the_vouched_device_of_the_first_licence():
    player = make_player()
    ask(player.token(), device="hu-1", replay_id="spc-1")
    token = player.renewal_token()
    assert refusal(ask(token, device="hu-2", replay_id="spc-2", is_renewal=True)) == (403, "wrong_device")
    assert refusal(ask(token, replay_id="spc-2", is_renewal=True)) == (403, "wrong_device")
    assert refusal(ask(token, device="hu-1", replay_id="spc-2", is_renewal=False)) == (403, "no_renewal")
    assert ask(token, device="hu-1", replay_id="spc-2", is_renewal=True).status_code == 200


def test_a_request_that_may_come_once_is_answered_once_whatever_bearer_it_comes_with():
    player = make_player()
    ask(player.token(), device="hu-1", replay_id="spc-1")
    assert refusal(ask(player.token(), device="hu-1", replay_id="spc-1")) == (403, "challenge_replayed")
    assert refusal(ask(player.renewal_token(), device="hu-1", replay_id="spc-1")) == (403, "challenge_replayed")
    assert SpentToken.objects.count() == 2, "a refused request spends nothing"


def test_what_the_system_refuses_is_told_by_its_own_code_and_spends_nothing():
    player = make_player()
    token = player.token()
    assert refusal(ask(token, content_type="text/plain")) == (400, "challenge_type")
    assert refusal(ask(token, device="broken")) == (400, "challenge_security_level")
    assert refusal(ask(token, device="x" * 9000)) == (413, "too_large")
    assert ask(token).status_code == 200


def test_a_renewal_stays_with_the_system_of_the_first_licence(settings):
    player = make_player()
    ask(player.token())
    options = settings.VIDEO_PROVIDERS["hosted"]["OPTIONS"]
    options["licences"] = [*options["licences"], {"BACKEND": "videos.hosted.licences.clearkey.ClearKey"}]
    body = json.dumps({"kids": ["oKGio6SlRqeoqaqrrK2urw"]})
    headers = {"Authorization": f"Bearer {player.renewal_token()}", "X-Device-Id": player.session.device_id}
    answer = client.post("/api/videos/licences/clearkey/", body, "application/json", headers=headers)
    assert refusal(answer) == (403, "no_first_licence")
