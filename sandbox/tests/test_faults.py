import time

import pytest
import requests

from sandbox.tests.vdocipher_client import ask, new_video

FAULTS = "/_control/faults"


def set_fault(sandbox, **values):
    answer = requests.post(sandbox.url + FAULTS, json=values, timeout=5)
    assert answer.status_code == 201, answer.text


def test_a_status_fault_lasts_for_its_number_of_times(sandbox):
    set_fault(sandbox, service="vdocipher", path="/videos", status=503, times=2, headers={"Retry-After": "7"})
    answers = [ask(sandbox, "GET", "/videos") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [503, 503, 200]
    assert answers[0].headers["Retry-After"] == "7"
    assert "message" in answers[0].json()


@pytest.mark.parametrize("times", [0, -1])
def test_a_fault_without_number_lasts_until_it_is_cleared(sandbox, times):
    set_fault(sandbox, service="vdocipher", path="/videos", status=500, times=times)
    assert [ask(sandbox, "GET", "/videos").status_code for _ in range(4)] == [500] * 4
    requests.delete(sandbox.url + FAULTS, timeout=5)
    assert ask(sandbox, "GET", "/videos").status_code == 200


def test_a_fault_touches_only_the_paths_its_expression_finds(sandbox):
    video_id = new_video(sandbox)
    set_fault(sandbox, service="vdocipher", path=r"/otp$", status=429, times=0)
    assert ask(sandbox, "GET", f"/videos/{video_id}").status_code == 200
    assert ask(sandbox, "POST", f"/videos/{video_id}/otp", json={}).status_code == 429


def test_a_fault_of_one_service_leaves_the_other_alone(sandbox):
    set_fault(sandbox, service="stripe", path="", status=500, times=0)
    assert ask(sandbox, "GET", "/videos").status_code == 200
    answer = requests.get(sandbox.stripe_url + "/v1/events", timeout=5)
    assert answer.status_code == 500
    assert answer.json()["error"]["type"] == "api_error"


def test_html_comes_instead_of_json(sandbox):
    set_fault(sandbox, service="vdocipher", path="/videos", body="<h1>Gateway</h1>", content_type="text/html")
    answer = ask(sandbox, "GET", "/videos")
    assert (answer.status_code, answer.text) == (200, "<h1>Gateway</h1>")
    assert answer.headers["Content-Type"] == "text/html"


def test_a_delay_postpones_the_real_answer(sandbox):
    set_fault(sandbox, service="vdocipher", path="/videos", delay_ms=400)
    started = time.monotonic()
    assert ask(sandbox, "GET", "/videos").json()["count"] == 0
    assert time.monotonic() - started >= 0.4


def test_a_drop_cuts_the_connection_half_way(sandbox):
    set_fault(sandbox, service="vdocipher", path="/videos", drop=True)
    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="IncompleteRead"):
        ask(sandbox, "GET", "/videos")
    assert ask(sandbox, "GET", "/videos").status_code == 200


def test_a_drip_gives_a_byte_a_second_and_passes_a_read_timeout(sandbox):
    set_fault(sandbox, service="vdocipher", path="/videos", drip=True, body="abc")
    started = time.monotonic()
    answer = ask(sandbox, "GET", "/videos", timeout=1.8)
    assert answer.text == "abc"
    assert 1.9 <= time.monotonic() - started < 4


def test_missing_keys_are_taken_out_of_a_real_answer(sandbox):
    video_id = new_video(sandbox)
    set_fault(sandbox, service="vdocipher", path="/otp", missing=["playbackInfo"])
    answer = ask(sandbox, "POST", f"/videos/{video_id}/otp", json={})
    assert answer.status_code == 200
    assert set(answer.json()) == {"otp"}


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"service": "loom", "status": 500}, "service"),
        ({"service": "vdocipher", "stauts": 500}, "stauts"),
        ({"service": "vdocipher", "status": "500"}, "status"),
        ({"service": "vdocipher", "status": 99}, "status"),
        ({"service": "vdocipher", "delay_ms": -1}, "delay_ms"),
        ({"service": "vdocipher", "drop": 1}, "drop"),
        ({"service": "vdocipher", "path": "("}, "path"),
        ({"service": "vdocipher", "webhook": {"duplicate": 0}}, "duplicate"),
        ({"service": "vdocipher", "webhook": {"twice": True}}, "twice"),
        ({"service": "vdocipher", "headers": {"Retry-After": 5}}, "headers"),
        ({"service": "vdocipher", "missing": [1]}, "missing"),
        ([], "JSON object"),
    ],
)
def test_a_fault_nobody_can_understand_is_refused_with_the_field(sandbox, values, named):
    answer = requests.post(sandbox.url + FAULTS, json=values, timeout=5)
    assert answer.status_code == 400
    assert named in answer.json()["message"]
    assert requests.get(sandbox.url + FAULTS, timeout=5).json() == []
