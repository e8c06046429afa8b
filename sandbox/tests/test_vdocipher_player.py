import base64
import json
import re
import time

import pytest
import requests

from sandbox.tests.vdocipher_client import ask, new_video, otp_for, play
from sandbox.vdocipher.player import SAMPLE


def refusal_of(answer):
    assert answer.status_code == 403
    assert "sample.webm" not in answer.text
    return int(re.search(r'Error <span id="code">(\d+)</span>', answer.text).group(1))


def viewing_of(answer):
    assert answer.status_code == 200, answer.text
    return json.loads(re.search(r'<script id="viewing"[^>]*>(.*?)</script>', answer.text, re.DOTALL).group(1))


def test_a_fresh_otp_plays_the_video(sandbox):
    answer = play(sandbox, otp_for(sandbox, new_video(sandbox, title="Proofs")))
    assert viewing_of(answer)["meta"]["title"] == "Proofs"
    assert 'src="sample.webm"' in answer.text
    assert answer.headers["Cache-Control"] == "no-store"


def test_an_otp_plays_once(sandbox):
    credentials = otp_for(sandbox, new_video(sandbox))
    assert play(sandbox, credentials).status_code == 200
    assert refusal_of(play(sandbox, credentials)) == 2013


def test_an_otp_ends_with_its_ttl(sandbox):
    credentials = otp_for(sandbox, new_video(sandbox), ttl=1)
    time.sleep(1.1)
    assert refusal_of(play(sandbox, credentials)) == 2013


def test_an_otp_of_another_video_is_refused_and_stays_good_for_its_own(sandbox):
    mine, other = otp_for(sandbox, new_video(sandbox)), otp_for(sandbox, new_video(sandbox))
    assert refusal_of(play(sandbox, {"otp": mine["otp"], "playbackInfo": other["playbackInfo"]})) == 2020
    assert play(sandbox, mine).status_code == 200


@pytest.mark.parametrize("info", ["not base64!", base64.b64encode(b"[]").decode(), base64.b64encode(b"\xff").decode()])
def test_a_playback_info_that_names_no_video_is_refused(sandbox, info):
    assert refusal_of(play(sandbox, otp_for(sandbox, new_video(sandbox)) | {"playbackInfo": info})) == 2020


def test_an_invented_otp_is_refused(sandbox):
    credentials = otp_for(sandbox, new_video(sandbox))
    assert refusal_of(play(sandbox, credentials | {"otp": "20160313versASE323" + "x" * 46})) == 2017


@pytest.mark.parametrize("kept", [[], ["otp"], ["playbackInfo"]])
def test_without_credentials_the_old_page_speaks(sandbox, kept):
    credentials = otp_for(sandbox, new_video(sandbox))
    assert refusal_of(play(sandbox, {name: credentials[name] for name in kept})) == 60072017


def test_a_deleted_video_does_not_play(sandbox):
    video_id = new_video(sandbox)
    credentials = otp_for(sandbox, video_id)
    ask(sandbox, "DELETE", "/videos", params={"videos": video_id})
    assert refusal_of(play(sandbox, credentials)) == 2025


@pytest.mark.parametrize(
    ("referrer", "plays"),
    [
        ("https://www.example.com/", True),
        ("https://example.com:8000/lesson", True),
        ("https://exampleXcom.net/", False),
        ("https://evil.net/?example.com", False),
        (None, False),
    ],
)
def test_a_domain_whitelist_looks_at_the_referrers_host(sandbox, referrer, plays):
    credentials = otp_for(sandbox, new_video(sandbox), whitelisthref=r"example\.com")
    answer = play(sandbox, credentials, **({"Referer": referrer} if referrer else {}))
    assert answer.status_code == 200 if plays else refusal_of(answer) == 2014


@pytest.mark.parametrize(
    ("rules", "plays"),
    [
        ({"allow": ["127.0.0.1"]}, True),
        ({"allow": ["203.0.113.7"]}, False),
        ({"allow": ["203.0.113.7"], "except": ["127.0.0.1"]}, False),
        ({"allow": ["127.0.0.1"], "except": ["127.0.0.1"]}, False),
        ({"allow": [["127.0.0.1", "US"]]}, False),
        ({"block": ["127.0.0.1"]}, False),
        ({"block": ["127.0.0.1"], "except": ["127.0.0.1"]}, True),
        ({"block": ["US"]}, True),
    ],
)
def test_an_address_pin_looks_at_the_viewers_address(sandbox, rules, plays):
    credentials = otp_for(sandbox, new_video(sandbox), ipGeo=rules)
    answer = play(sandbox, credentials)
    assert answer.status_code == 200 if plays else refusal_of(answer) == 2015


def test_a_refusal_for_the_place_does_not_use_the_otp_up(sandbox):
    credentials = otp_for(sandbox, new_video(sandbox), whitelisthref=r"example\.com")
    assert refusal_of(play(sandbox, credentials)) == 2014
    assert play(sandbox, credentials, Referer="https://example.com/").status_code == 200


def test_the_watermark_comes_through_to_the_letter(sandbox):
    text = 'Ada "the\\first" </script><b> 🎓 (ada@example.com)'
    item = {"type": "rtext", "text": text, "alpha": "0.60", "color": "0xFF0000", "size": "15", "interval": "5000"}
    answer = play(sandbox, otp_for(sandbox, new_video(sandbox), annotate=json.dumps([item])))
    assert viewing_of(answer)["watermark"] == [item]
    assert "</script><b>" not in answer.text


def test_an_object_instead_of_a_string_shows_no_watermark(sandbox):
    item = {"type": "rtext", "text": "Ada"}
    answer = play(sandbox, otp_for(sandbox, new_video(sandbox), annotate=[item]))
    assert viewing_of(answer)["watermark"] == []
    assert "Ada" not in answer.text


def test_a_look_at_the_headers_does_not_use_the_otp_up(sandbox):
    credentials = otp_for(sandbox, new_video(sandbox))
    assert requests.head(sandbox.vdocipher_player_url, params=credentials, timeout=5).status_code == 200
    assert play(sandbox, credentials).status_code == 200


def test_the_clip_can_be_read_in_pieces(sandbox):
    url = sandbox.vdocipher_player_url + "sample.webm"
    answer = requests.get(url, headers={"Range": "bytes=100-199"}, timeout=5)
    assert (answer.status_code, answer.headers["Content-Type"]) == (206, "video/webm")
    assert answer.content == SAMPLE.read_bytes()[100:200]


def test_a_viewing_counts_towards_the_days_usage(sandbox):
    video_id = new_video(sandbox)
    play(sandbox, otp_for(sandbox, video_id))
    today = time.strftime("%Y-%m-%d", time.gmtime())
    rows = ask(sandbox, "POST", "/account/video-usage", json={"date": today}).text.splitlines()[1:]
    assert rows == [f"{video_id},{SAMPLE.stat().st_size // 1000}"]
