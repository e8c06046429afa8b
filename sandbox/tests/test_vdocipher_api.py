import base64
import json
import re
import time

import pytest
import requests

from sandbox.tests.receiver import Receiver
from sandbox.tests.vdocipher_client import ask, new_video, otp_for

UNKNOWN = "0" * 32
WORDS = ["PRE-Upload", "Queued", "Processing", "Encoding error", "Not a media file"]


@pytest.mark.parametrize("header", [None, "", "Apisecret", "Apisecret ", "Bearer vdo_sandbox_11tutors", "garbage"])
def test_a_missing_or_garbled_authorization_header_is_named(sandbox, header):
    headers = {} if header is None else {"Authorization": header}
    answer = requests.get(sandbox.vdocipher_api_url + "/videos", headers=headers, timeout=5)
    assert answer.status_code == 401
    assert answer.json() == {"message": "Bad formatting of Authorization header"}


def test_a_wrong_key_is_refused(sandbox):
    answer = ask(sandbox, "GET", "/videos", secret="somebody-elses")
    assert answer.status_code == 403
    assert answer.json()["message"]


def test_a_video_is_described_with_its_length_in_seconds_and_its_posters(sandbox):
    video_id = new_video(sandbox, length=48)
    video = ask(sandbox, "GET", f"/videos/{video_id}").json()
    assert re.fullmatch(r"[0-9a-f]{32}", video["id"])
    assert (video["id"], video["title"], video["status"], video["length"]) == (video_id, "Proofs, part 1", "ready", 48)
    assert abs(video["upload_time"] - time.time()) < 60
    poster = video["posters"][-1]
    assert (poster["width"], poster["height"]) == (853, 480)
    picture = requests.get(poster["posterUrl"], timeout=5)
    assert picture.headers["Content-Type"] == "image/jpeg"
    assert picture.content.startswith(b"\xff\xd8")


@pytest.mark.parametrize(("method", "path"), [("GET", ""), ("POST", ""), ("POST", "/otp")])
def test_an_unknown_id_is_video_not_found(sandbox, method, path):
    answer = ask(sandbox, method, f"/videos/{UNKNOWN}{path}", json={"title": "x"})
    assert answer.status_code == 404
    assert answer.json() == {"message": "Video not found"}


def test_the_description_for_players_is_public(sandbox):
    video_id = new_video(sandbox)
    answer = requests.get(f"{sandbox.vdocipher_api_url}/meta/{video_id}", timeout=5)
    meta = answer.json()
    assert (meta["title"], meta["duration"], meta["aspectRatio"]) == ("Proofs, part 1", 48, 1.77778)
    assert set(meta["posters"][0]) == {"url", "height"}
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


def test_the_list_comes_newest_first_in_pages_of_forty_at_most(sandbox):
    ids = [new_video(sandbox, title=f"Lesson {number}") for number in range(45)]
    whole = ask(sandbox, "GET", "/videos", params={"limit": 100}).json()
    assert whole["count"] == 45
    assert [video["id"] for video in whole["rows"]] == ids[:4:-1]
    assert len(ask(sandbox, "GET", "/videos").json()["rows"]) == 20
    third = ask(sandbox, "GET", "/videos", params={"page": 3, "limit": 20}).json()
    assert [video["id"] for video in third["rows"]] == ids[4::-1]


def test_the_list_is_searched_by_title_and_id(sandbox):
    first, second = new_video(sandbox, title="Limits"), new_video(sandbox, title="Groups")
    for text, found in (("limit", first), (second, second)):
        assert [video["id"] for video in ask(sandbox, "GET", "/videos", params={"q": text}).json()["rows"]] == [found]


def test_a_video_is_renamed_by_post(sandbox):
    video_id = new_video(sandbox)
    assert ask(sandbox, "POST", f"/videos/{video_id}", json={"title": "New"}).json() == {
        "message": "Successfully updated"
    }
    assert ask(sandbox, "GET", f"/videos/{video_id}").json()["title"] == "New"
    assert ask(sandbox, "POST", f"/videos/{video_id}", json={}).status_code == 400


def test_deleting_counts_what_was_there_and_answers_200_for_nothing(sandbox):
    kept, gone = new_video(sandbox), new_video(sandbox)
    answer = ask(sandbox, "DELETE", "/videos", params={"videos": f"{gone},{UNKNOWN}"})
    assert answer.json() == {"code": 200, "message": "Successfully deleted 1 videos"}
    again = ask(sandbox, "DELETE", "/videos", params={"videos": gone})
    assert (again.status_code, again.json()["message"]) == (200, "Successfully deleted 0 videos")
    assert ask(sandbox, "GET", f"/videos/{gone}").status_code == 404
    assert ask(sandbox, "GET", f"/videos/{kept}").status_code == 200


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("https://example.com/a.mp4", "ready"),
        ("http://example.com/a.gif", "Encoding error"),
        ("ftp://example.com/a.pdf", "Not a media file"),
    ],
)
def test_an_import_is_queued_and_settles(sandbox, url, word):
    answer = ask(sandbox, "PUT", "/videos/importUrl", json={"url": url})
    video_id = answer.json()["id"]
    assert ask(sandbox, "GET", f"/videos/{video_id}").json()["status"] == "Queued"
    time.sleep(0.6)
    video = ask(sandbox, "GET", f"/videos/{video_id}").json()
    assert (video["status"], video["length"]) == (word, 48 if word == "ready" else 0)


@pytest.mark.parametrize("body", [{}, {"url": "file:///etc/passwd"}, {"url": "nowhere"}, [1]])
def test_an_import_needs_an_address_it_can_reach(sandbox, body):
    answer = ask(sandbox, "PUT", "/videos/importUrl", json=body)
    assert answer.status_code == 400
    assert answer.json()["message"]


def test_an_otp_has_the_shape_of_the_real_ones(sandbox):
    video_id = new_video(sandbox)
    first, second = otp_for(sandbox, video_id), otp_for(sandbox, video_id)
    assert set(first) == {"otp", "playbackInfo"}
    assert re.fullmatch(r"20160313versASE3\d\d[0-9A-Za-z]{46}", first["otp"])
    assert first["otp"] != second["otp"]
    assert json.loads(base64.b64decode(first["playbackInfo"])) == {"videoId": video_id}


@pytest.mark.parametrize("word", WORDS)
def test_a_video_that_is_not_ready_gets_a_message_and_no_otp(sandbox, word):
    answer = ask(sandbox, "POST", f"/videos/{new_video(sandbox, status=word)}/otp", json={"ttl": 300})
    assert answer.status_code == 400
    assert "otp" not in answer.json()
    assert word in answer.json()["message"]


@pytest.mark.parametrize(
    "body",
    [
        [],
        "text",
        None,
        {"ttl": "300"},
        {"ttl": True},
        {"ttl": 0},
        {"annotate": "not json"},
        {"annotate": '{"type": "rtext"}'},
        {"annotate": '[{"type": "marquee"}]'},
        {"whitelisthref": ["example.com"]},
        {"ipGeo": '{"allow": ["1.2.3.4"]}'},
        {"ipGeo": {"allow": ["::1"]}},
        {"ipGeo": {"allow": ["1.2.3.4"], "block": ["US"]}},
        {"ipGeo": {"only": ["US"]}},
        {"userId": "ada@example.com"},
        {"userId": "x" * 37},
        {"userId": ""},
        {"licenseRules": {"canPersist": True}},
        {"licenseRules": "[]"},
        {"ipGeoRules": [{}]},
    ],
)
def test_an_otp_body_that_breaks_a_rule_is_refused(sandbox, body):
    answer = ask(sandbox, "POST", f"/videos/{new_video(sandbox)}/otp", json=body)
    assert answer.status_code == 400
    assert answer.json()["message"]


def test_an_otp_request_needs_json(sandbox):
    answer = ask(sandbox, "POST", f"/videos/{new_video(sandbox)}/otp", data="ttl=300")
    assert answer.status_code == 400


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"ttl": 300, "userId": "a12v-b34s_cef3", "whitelisthref": r"example\.com"},
        {"ipGeo": {"allow": ["203.0.113.7", ["1.2.3.4", "US"]], "except": []}},
        {"licenseRules": '{"canPersist": true, "rentalDuration": 1296000}'},
        {"annotate": "[{'type':'rtext', 'text':'single quotes', 'alpha':'0.60'}]"},
        {"annotate": [{"type": "rtext", "text": "an object instead of a string"}]},
        {"something": "new"},
    ],
)
def test_documented_otp_bodies_are_taken(sandbox, body):
    assert otp_for(sandbox, new_video(sandbox), **body)["otp"]


def test_hooks_are_registered_listed_called_and_removed(sandbox):
    with Receiver() as receiver:
        wanted = {"type": "http", "value": receiver.url, "event": "video:readyall", "status": 1}
        hook = ask(sandbox, "POST", "/hooks/", json=wanted).json()
        assert hook.items() >= wanted.items()
        assert ask(sandbox, "GET", "/hooks/").json() == [hook]
        video_id = new_video(sandbox, status="Queued")
        sandbox.set_video_status(video_id, "ready")
        [received] = receiver.wait_for(1)
        assert (received.json["hookId"], received.json["event"]) == (hook["uuid"], "video:readyall")
        assert ask(sandbox, "DELETE", "/hooks/", json={"uuid": hook["uuid"]}).status_code == 200
        assert ask(sandbox, "GET", "/hooks/").json() == []
    assert ask(sandbox, "DELETE", "/hooks/", json={"uuid": hook["uuid"]}).status_code == 404


@pytest.mark.parametrize("change", [{"event": "video:deleted"}, {"type": "smtp"}, {"value": "nowhere"}])
def test_a_hook_that_does_not_exist_cannot_be_registered(sandbox, change):
    hook = {"type": "http", "value": "http://127.0.0.1:9/", "event": "video:ready", "status": 1}
    assert ask(sandbox, "POST", "/hooks/", json=hook | change).status_code == 400


def test_the_ready_hook_has_milliseconds_outside_and_seconds_inside_and_no_signature(sandbox):
    video_id = new_video(sandbox, status="Queued")
    with Receiver() as receiver:
        sandbox.context.webhooks.vdocipher_url = f"{receiver.url}?token=t"
        sandbox.set_video_status(video_id, "ready")
        [received] = receiver.wait_for(1)
    assert received.path == "/hook/?token=t"
    assert not [name for name in received.headers if "signature" in name.lower()]
    assert (received.json["event"], received.json["payload"]["id"]) == ("video:ready", video_id)
    assert received.json["payload"]["status"] == "ready"
    assert abs(received.json["time"] / 1000 - time.time()) < 60
    assert abs(received.json["payload"]["upload_time"] - time.time()) < 60


def test_failures_have_no_hook(sandbox):
    video_id = new_video(sandbox, status="Queued")
    with Receiver() as receiver:
        sandbox.context.webhooks.vdocipher_url = receiver.url
        sandbox.set_video_status(video_id, "Encoding error")
        sandbox.set_video_status(video_id, "ready", send_hook=False)
        assert sandbox.context.deliveries.drain(5)
        assert receiver.received == []


def test_usage_is_a_csv_of_kilobytes_for_one_day(sandbox):
    control = sandbox.url + "/_control/vdocipher/usage"
    for kb in (100, 23):
        requests.post(control, json={"date": "2026-01-18", "video": "v1", "kb": kb}, timeout=5)
    answer = ask(sandbox, "POST", "/account/video-usage", json={"date": "2026-01-18"})
    assert answer.headers["Content-Type"].startswith("text/csv")
    assert answer.text == "video,bandwidth\nv1,123\n"
    assert ask(sandbox, "POST", "/account/video-usage", json={"date": "2026-01-19"}).text == "video,bandwidth\n"
    assert ask(sandbox, "POST", "/account/video-usage", json={"date": "yesterday"}).status_code == 400


def test_control_adds_a_video_and_changes_its_status(sandbox):
    control = sandbox.url + "/_control/vdocipher/videos"
    wanted = {"id": "ab" * 16, "title": "Seeded", "status": "Queued", "length": 90}
    assert requests.post(control, json=wanted, timeout=5).json() == {"id": "ab" * 16}
    assert ask(sandbox, "GET", f"/videos/{'ab' * 16}").json().items() >= wanted.items()
    requests.post(f"{control}/{'ab' * 16}/status", json={"status": "pRoCeSSing"}, timeout=5)
    assert ask(sandbox, "GET", f"/videos/{'ab' * 16}").json()["status"] == "pRoCeSSing"
    assert requests.post(f"{control}/{UNKNOWN}/status", json={"status": "ready"}, timeout=5).status_code == 404
    assert requests.post(control, json={"length": "long"}, timeout=5).status_code == 400
    assert requests.post(f"{control}/{'ab' * 16}/status", json={}, timeout=5).status_code == 400


def test_an_address_the_api_does_not_have_answers_json(sandbox):
    answer = ask(sandbox, "GET", "/usage")
    assert answer.status_code == 404
    assert answer.json() == {"message": "Not Found"}
