import json
import logging
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from videos.providers.exceptions import Rejected
from videos.tests.providers.contract import make_request, make_viewer


def otp_body(sandbox):
    """What the host was last asked for an OTP."""
    call = [call for call in sandbox.calls("vdocipher") if call["path"].endswith("/otp")][-1]
    return json.loads(call["body"])


def test_an_otp_opens_the_player_once_with_the_watermark(provider, ready_id):
    playback = provider.get_playback(make_request(ready_id, viewer=make_viewer(watermark="Ada Lovelace")))
    first, second = requests.get(playback.embed_url, timeout=5), requests.get(playback.embed_url, timeout=5)
    assert "Ada Lovelace" in first.text
    assert (first.status_code, second.status_code) == (200, 403)
    assert "2013" in second.text


def test_every_request_gets_another_otp(provider, ready_id):
    assert len({provider.get_playback(make_request(ready_id)).otp for _ in range(3)}) == 3


def test_the_embed_address_carries_otp_and_playback_info_encoded(configured, ready_id, sandbox):
    provider = configured(player_url=sandbox.vdocipher_player_url + "?player=abcdef")
    playback = provider.get_playback(make_request(ready_id))
    assert playback.playback_info.endswith("=") or "=" not in playback.playback_info
    query = parse_qs(urlsplit(playback.embed_url).query)
    assert query == {"player": ["abcdef"], "otp": [playback.otp], "playbackInfo": [playback.playback_info]}
    assert playback.as_json() == {
        "otp": playback.otp,
        "playbackInfo": playback.playback_info,
        "embed_url": playback.embed_url,
    }


def test_the_body_holds_ttl_user_and_watermark_and_nothing_else(provider, sandbox, ready_id):
    provider.get_playback(make_request(ready_id))
    body = otp_body(sandbox)
    assert set(body) == {"ttl", "userId", "annotate"}
    assert (body["ttl"], body["userId"]) == (300, "7")
    assert json.loads(body["annotate"]) == [
        {
            "type": "rtext",
            "text": "Ada (ada@example.com)",
            "alpha": "0.60",
            "color": "0xFF0000",
            "size": "15",
            "interval": "5000",
        }
    ]


def test_the_watermark_s_looks_are_an_option(configured, sandbox, ready_id):
    provider = configured(watermark_style={"color": "0x00FF00", "skip": 2000})
    provider.get_playback(make_request(ready_id))
    [item] = json.loads(otp_body(sandbox)["annotate"])
    assert (item["color"], item["skip"], item["alpha"]) == ("0x00FF00", "2000", "0.60")


def test_a_viewer_without_a_watermark_sees_none(provider, sandbox, ready_id):
    provider.get_playback(make_request(ready_id, viewer=make_viewer(watermark="")))
    assert "annotate" not in otp_body(sandbox)


@pytest.mark.parametrize(
    "viewer_id", ["7", "a12v-b34s_cef3", "00000000-0000-4000-8000-000000000000", "device:äöü", "x" * 37, "ada@x.org"]
)
def test_a_viewer_is_named_in_the_host_s_alphabet(provider, sandbox, ready_id, viewer_id):
    provider.get_playback(make_request(ready_id, viewer=make_viewer(id=viewer_id)))
    sent = otp_body(sandbox)["userId"]
    assert len(sent) <= 36
    assert sent.replace("-", "").replace("_", "").isalnum()
    assert "@" not in sent


def test_two_viewers_never_share_a_name(provider, sandbox, ready_id):
    names = set()
    for viewer_id in ("x" * 37, "x" * 38, "x" * 36, "ä", "ö"):
        provider.get_playback(make_request(ready_id, viewer=make_viewer(id=viewer_id)))
        names.add(otp_body(sandbox)["userId"])
    assert len(names) == 5


def test_a_whitelist_is_passed_on_as_it_is(configured, sandbox, ready_id):
    provider = configured(whitelist_href=r"(www\.)?example\.com")
    provider.get_playback(make_request(ready_id))
    assert otp_body(sandbox)["whitelisthref"] == r"(www\.)?example\.com"


@pytest.mark.parametrize(
    ("ip", "pinned"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8::1", None),
        ("", None),
        ("unknown", None),
    ],
)
def test_an_otp_is_pinned_to_ipv4_alone(configured, sandbox, ready_id, ip, pinned, caplog):
    caplog.set_level(logging.INFO, "videos")
    configured(pin_ip=True).get_playback(make_request(ready_id, ip=ip))
    assert otp_body(sandbox).get("ipGeo") == ({"allow": [pinned]} if pinned else None)
    assert ("session-1 is not pinned" in caplog.text) == (pinned is None)
    assert not ip or ip not in caplog.text


def test_nothing_is_pinned_unless_asked_for(provider, sandbox, ready_id):
    provider.get_playback(make_request(ready_id, ip="203.0.113.7"))
    assert "ipGeo" not in otp_body(sandbox)


def test_a_video_that_is_not_ready_is_not_playable(provider, sandbox):
    with pytest.raises(Rejected) as caught:
        provider.get_playback(make_request(sandbox.add_video(status="Queued")))
    assert caught.value.code == "not_playable"


def test_a_message_in_place_of_an_otp_means_not_playable(provider, sandbox, ready_id):
    sandbox.fault(service="vdocipher", path=".*/otp", status=200, body='{"message": "Video is not ready"}')
    with pytest.raises(Rejected) as caught:
        provider.get_playback(make_request(ready_id))
    assert caught.value.code == "not_playable"
