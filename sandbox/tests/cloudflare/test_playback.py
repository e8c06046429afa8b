import io
import time

import pytest
import requests
from PIL import Image

from sandbox.cloudflare.account import new_signing_key
from sandbox.tests.cloudflare.client import CLIP, ask, play, reserve, result, sign, video, wait_until

DOORS = (
    "iframe",
    "video",
    "manifest/video.m3u8",
    "manifest/video.mpd",
    "manifest/sample.mp4",
    "thumbnails/thumbnail.jpg",
)


@pytest.fixture
def uid(sandbox):
    return sandbox.cloudflare.add_video(title="Proofs")


@pytest.mark.parametrize("door", DOORS)
def test_every_door_opens_for_a_signed_token_and_for_nothing_else(sandbox, uid, door):
    other = sandbox.cloudflare.add_video()
    assert play(sandbox, sign(sandbox, uid), door).status_code == 200
    assert play(sandbox, uid, door).status_code == 401
    assert play(sandbox, sign(sandbox, uid)[:-6] + "AAAAAA", door).status_code == 401
    assert play(sandbox, sign(sandbox, uid, key=new_signing_key()), door).status_code == 401
    assert play(sandbox, sign(sandbox, "f" * 32), door).status_code == 404
    result(ask(sandbox, "POST", f"/{other}", json={"requireSignedURLs": False}))
    assert play(sandbox, other, door).status_code == 200


@pytest.mark.parametrize(
    ("claims", "status"),
    [
        ({"exp": -1}, 401),
        ({"exp": 24 * 3600 - 10}, 200),
        ({"exp": 24 * 3600 + 120}, 401),
        ({"exp": None}, 401),
        ({"nbf": -3600}, 200),
        ({"nbf": 3600}, 401),
    ],
)
def test_a_token_is_good_between_its_moments_and_for_a_day_at_most(sandbox, uid, claims, status):
    moments = {name: None if offset is None else int(time.time()) + offset for name, offset in claims.items()}
    assert play(sandbox, sign(sandbox, uid, **moments)).status_code == status


def test_moments_written_as_text_are_read(sandbox, uid):
    now = int(time.time())
    assert play(sandbox, sign(sandbox, uid, exp=str(now + 60), nbf=str(now - 60))).status_code == 200
    assert play(sandbox, sign(sandbox, uid, exp="soon")).status_code == 401


def test_another_key_under_the_accounts_key_id_opens_nothing(sandbox, uid):
    known = result(ask(sandbox, "GET", "/keys"))[0]["id"]
    assert play(sandbox, sign(sandbox, uid, key=new_signing_key(), key_id=known)).status_code == 401


@pytest.mark.parametrize(
    ("rules", "status"),
    [
        ([{"type": "ip.src", "action": "allow", "ip": ["127.0.0.0/8"]}, {"type": "any", "action": "block"}], 200),
        ([{"type": "ip.src", "action": "allow", "ip": ["192.0.2.0/24"]}, {"type": "any", "action": "block"}], 403),
        ([{"type": "ip.src", "action": "allow", "ip": ["192.0.2.7"]}], 200),
        ([{"type": "ip.src", "action": "block", "ip": ["192.0.2.0/24", "127.0.0.1"]}], 403),
        ([{"type": "any", "action": "allow"}, {"type": "any", "action": "block"}], 200),
        ([{"type": "ip.geoip.country", "action": "block", "country": ["US"]}], 200),
        ([{"type": "ip.src", "action": "allow", "ip": ["everywhere"]}], 401),
        ([{"type": "any", "action": "wave"}], 401),
        ([{"type": "any", "action": "allow"}] * 6, 401),
    ],
)
def test_the_first_access_rule_that_matches_decides(sandbox, uid, rules, status):
    assert play(sandbox, sign(sandbox, uid, accessRules=rules), "manifest/video.m3u8").status_code == status


def test_a_revoked_key_takes_its_tokens_with_it(sandbox, uid):
    made = result(ask(sandbox, "POST", "/keys"))
    assert made.keys() == {"id", "pem", "jwk", "created"}
    token = sign(sandbox, uid, key=made["jwk"])
    assert play(sandbox, token).status_code == 200
    assert made["id"] in [key["id"] for key in result(ask(sandbox, "GET", "/keys"))]
    assert result(ask(sandbox, "DELETE", f"/keys/{made['id']}")) == "Revoked"
    assert play(sandbox, token).status_code == 401
    assert ask(sandbox, "DELETE", f"/keys/{made['id']}").status_code == 404
    assert play(sandbox, sign(sandbox, uid)).status_code == 200


def test_the_token_endpoint_signs_for_an_hour_unless_told_otherwise(sandbox, uid):
    assert play(sandbox, result(ask(sandbox, "POST", f"/{uid}/token"))["token"]).status_code == 200
    block = {"accessRules": [{"type": "any", "action": "block"}], "exp": int(time.time()) + 60}
    assert play(sandbox, result(ask(sandbox, "POST", f"/{uid}/token", json=block))["token"]).status_code == 403
    for wrong in ({"exp": int(time.time()) + 25 * 3600}, {"exp": 5}, {"exp": "soon"}, {"accessRules": "none"}):
        assert ask(sandbox, "POST", f"/{uid}/token", json=wrong).status_code == 400


@pytest.mark.parametrize("door", ["iframe", "manifest/video.m3u8", "thumbnails/thumbnail.jpg"])
def test_a_video_that_failed_answers_424_and_one_that_is_not_ready_404(sandbox, door):
    failed = sandbox.cloudflare.add_video(state="error")
    queued = sandbox.cloudflare.add_video(state="queued")
    assert play(sandbox, sign(sandbox, failed), door).status_code == 424
    assert play(sandbox, sign(sandbox, queued), door).status_code == 404


@pytest.mark.parametrize(
    ("allowed", "page", "status"),
    [
        ("example.com", "https://example.com/course/1", 200),
        ("example.com", "https://www.example.com/", 403),
        ("*.example.com", "https://www.example.com/", 200),
        ("*.example.com", "https://example.com/", 403),
        ("localhost:5173", "http://localhost:5173/", 200),
        ("localhost:5173", "http://localhost:8000/", 403),
        ("localhost", "http://localhost:8000/", 403),
        ("example.com", None, 403),
    ],
)
def test_only_listed_pages_may_embed(sandbox, allowed, page, status):
    uid = sandbox.cloudflare.add_video(allowed_origins=(allowed,))
    headers = {"Referer": page} if page else {}
    assert play(sandbox, sign(sandbox, uid), **headers).status_code == status


def test_the_file_that_was_uploaded_is_played_in_ranges(sandbox):
    made = reserve(sandbox, requireSignedURLs=True)
    requests.post(made["uploadURL"], files={"file": ("own.webm", CLIP + b"\xec" + bytes(50))}, timeout=10)
    wait_until(sandbox, made["uid"], "ready")
    token = sign(sandbox, made["uid"])
    whole = play(sandbox, token, "video")
    assert (len(whole.content), whole.headers["Content-Type"]) == (len(CLIP) + 51, "video/webm")
    part = play(sandbox, token, "video", Range="bytes=10-19")
    assert (part.status_code, part.content) == (206, CLIP[10:20])


def test_a_video_without_a_file_of_its_own_plays_the_sample(sandbox, uid):
    assert play(sandbox, sign(sandbox, uid), "video").content == CLIP


def test_the_playlist_names_ranges_that_exist(sandbox, uid):
    token = sign(sandbox, uid)
    lines = play(sandbox, token, "manifest/video.m3u8").text.splitlines()
    ranges = [line.rpartition(":")[2] for line in lines if line.startswith("#EXT-X-BYTERANGE")]
    assert len(ranges) == 8
    size, _, start = ranges[-1].partition("@")
    headers = {"Range": f"bytes={start}-{int(start) + int(size) - 1}"}
    part = play(sandbox, token, "manifest/sample.mp4", **headers)
    assert (part.status_code, len(part.content)) == (206, int(size))
    assert b"moof" in part.content[:100]
    assert sum(float(line[8:-1]) for line in lines if line.startswith("#EXTINF")) == 48


def test_thumbnails_have_the_size_that_was_asked_for(sandbox, uid):
    def picture(query):
        answer = play(sandbox, sign(sandbox, uid), f"thumbnails/thumbnail.jpg{query}")
        assert answer.headers["Content-Type"] == "image/jpeg"
        return Image.open(io.BytesIO(answer.content))

    assert picture("").size == (640, 640)
    assert picture("?time=68s&width=480&height=270").size == (480, 270)
    assert picture("?time=5s").tobytes() != picture("?time=30s").tobytes()
    assert picture("?time=1m5s").tobytes() == picture("?time=65s").tobytes()
    moving = play(sandbox, sign(sandbox, uid), "thumbnails/thumbnail.gif?duration=1s&fps=4&height=90&width=160")
    assert Image.open(io.BytesIO(moving.content)).n_frames == 4


def test_nothing_that_a_token_opens_is_stored_by_browsers(sandbox, uid):
    assert play(sandbox, sign(sandbox, uid)).headers["Cache-Control"] == "no-store"


def test_the_embed_code_is_for_this_video(sandbox, uid):
    assert f"/{uid}/iframe" in ask(sandbox, "GET", f"/{uid}/embed").text
    assert video(sandbox, uid)["preview"].endswith(f"/{uid}/watch")
