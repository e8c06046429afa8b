import http.client
import http.server
import threading
from datetime import UTC, datetime, timedelta

import pytest
import requests

from sandbox.cloudflare.forms import LARGEST_FORM_BYTES
from sandbox.config import SandboxConfig
from sandbox.server import Sandbox
from sandbox.tests.cloudflare.client import (
    CLIP,
    ask,
    error_of,
    mp4,
    reserve,
    result,
    video,
    wait_until,
)


def send(address, body=CLIP, name="lesson.webm", field="file"):
    return requests.post(address, files={field: (name, body)}, timeout=10)


def in_seconds(seconds):
    return (datetime.now(UTC) + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_a_reserved_form_takes_one_file_which_becomes_ready(sandbox):
    made = reserve(sandbox, creator="user-42", requireSignedURLs=True, meta={"lesson": "7"})
    assert video(sandbox, made["uid"])["status"]["state"] == "pendingupload"
    assert send(made["uploadURL"]).status_code == 200
    found, seen = wait_until(sandbox, made["uid"], "ready")
    assert [state for state in ("queued", "inprogress", "ready") if state in seen] == seen
    assert 47.9 < found["duration"] < 48.1
    assert (found["size"], found["meta"]) == (len(CLIP), {"name": "lesson.webm", "lesson": "7"})
    assert (found["creator"], found["requireSignedURLs"], found["maxDurationSeconds"]) == ("user-42", True, 600)
    assert 400 <= send(made["uploadURL"]).status_code < 500


def test_progress_is_text_with_six_decimals(sandbox):
    made = reserve(sandbox)
    send(made["uploadURL"])
    found, _ = wait_until(sandbox, made["uid"], "inprogress")
    assert found["status"]["step"] == "encoding"
    whole, _, decimals = found["status"]["pctComplete"].partition(".")
    assert 0 <= int(whole) <= 99
    assert len(decimals) == 6


@pytest.mark.parametrize("version", [0, 1])
def test_length_and_size_of_an_mp4_are_its_own(sandbox, version):
    made = reserve(sandbox)
    assert send(made["uploadURL"], mp4(12.5, 1280, 720, version=version)).status_code == 200
    found, _ = wait_until(sandbox, made["uid"], "ready")
    assert (found["duration"], found["input"]) == (12.5, {"width": 1280, "height": 720})


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (mp4(700), "ERR_DURATION_EXCEED_CONSTRAINT"),
        (mp4(0.05), "ERR_DURATION_TOO_SHORT"),
        (mp4(10)[:-500], "ERR_MALFORMED_VIDEO"),
    ],
)
def test_a_file_that_cannot_be_used_fails_with_its_code(sandbox, body, code):
    made = reserve(sandbox)
    assert send(made["uploadURL"], body).status_code == 200
    found, _ = wait_until(sandbox, made["uid"], "error")
    assert found["status"]["errorReasonCode"] == code
    assert found["readyToStream"] is False


def test_a_file_that_is_no_video_is_refused_and_its_video_fails(sandbox):
    made = reserve(sandbox)
    assert error_of(send(made["uploadURL"], b"Dear diary", "diary.txt")) == (400, 10059)
    found, _ = wait_until(sandbox, made["uid"], "error")
    assert found["status"]["errorReasonCode"] == "ERR_NON_VIDEO"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"maxDurationSeconds": 0},
        {"maxDurationSeconds": 36_001},
        {"maxDurationSeconds": "600"},
        {"maxDurationSeconds": True},
        {"maxDurationSeconds": 600, "creator": "x" * 65},
        {"maxDurationSeconds": 600, "expiry": in_seconds(60)},
        {"maxDurationSeconds": 600, "expiry": in_seconds(7 * 3600)},
        {"maxDurationSeconds": 600, "expiry": "soon"},
    ],
)
def test_a_reservation_that_breaks_a_rule_is_refused(sandbox, body):
    assert error_of(ask(sandbox, "POST", "/direct_upload", json=body))[0] == 400
    assert result(ask(sandbox, "GET", "")) == []


def test_the_limits_themselves_are_taken(sandbox):
    reserve(sandbox, maxDurationSeconds=36_000, creator="x" * 64, expiry=in_seconds(6 * 3600))
    reserve(sandbox, maxDurationSeconds=1, expiry=in_seconds(121))


def test_an_expired_address_takes_nothing(sandbox):
    made = reserve(sandbox)
    key = made["uploadURL"].rpartition("/")[2]
    upload = sandbox.cloudflare.uploads.find("form", key)
    sandbox.context.store.put("cloudflare.uploads", key, upload | {"expires_at": 1})
    assert error_of(send(made["uploadURL"]))[0] == 400
    assert video(sandbox, made["uid"])["status"]["state"] == "pendingupload"


def test_a_form_that_is_refused_may_be_sent_again(sandbox):
    made = reserve(sandbox)
    assert error_of(send(made["uploadURL"], field="video"))[0] == 400
    assert error_of(requests.post(made["uploadURL"], data=CLIP, timeout=5))[0] == 400
    assert send(made["uploadURL"]).status_code == 200


def test_a_file_over_the_forms_limit_is_refused_before_it_is_sent(sandbox):
    made = reserve(sandbox)
    headers = {"Content-Type": "multipart/form-data; boundary=x", "Content-Length": str(LARGEST_FORM_BYTES + 70_000)}
    request = requests.Request("POST", made["uploadURL"], headers=headers).prepare()
    request.headers["Content-Length"] = headers["Content-Length"]
    with requests.Session() as session:
        assert error_of(session.send(request, timeout=10))[0] == 413


def test_browsers_of_other_origins_may_send_the_form(sandbox):
    made = reserve(sandbox)
    preflight = requests.options(made["uploadURL"], timeout=5)
    assert preflight.status_code == 204
    assert preflight.headers["Access-Control-Allow-Origin"] == "*"
    assert send(made["uploadURL"]).headers["Access-Control-Allow-Origin"] == "*"


def test_a_deleted_video_has_no_upload_address(sandbox):
    made = reserve(sandbox)
    ask(sandbox, "DELETE", f"/{made['uid']}")
    assert error_of(send(made["uploadURL"]))[0] == 404


def test_a_server_may_send_a_small_file_of_its_own(sandbox):
    made = result(ask(sandbox, "POST", "", files={"file": ("own.webm", CLIP)}))
    found, _ = wait_until(sandbox, made["uid"], "ready")
    assert found["meta"] == {"name": "own.webm"}
    assert error_of(ask(sandbox, "POST", "", files={"other": ("own.webm", CLIP)}))[0] == 400
    assert len(result(ask(sandbox, "GET", ""))) == 1


@pytest.fixture
def origin():
    """A web server that has the clip at /clip.webm and nothing else."""

    class Origin(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            found = self.path == "/clip.webm"
            self.send_response(200 if found else 404)
            self.send_header("Content-Length", str(len(CLIP) if found else 0))
            self.end_headers()
            self.wfile.write(CLIP if found else b"")

        def log_message(self, format, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Origin)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize("member", ["input", "url"])
def test_a_copy_downloads_and_becomes_ready(sandbox, origin, member):
    body = {member: f"{origin}/clip.webm", "meta": {"name": "Copied"}, "requireSignedURLs": True, "creator": "user-1"}
    made = result(ask(sandbox, "POST", "/copy", json=body))
    assert (made["status"]["state"], made["duration"], made["input"]["width"]) == ("downloading", -1, -1)
    assert made["meta"] == {"downloaded-from": f"{origin}/clip.webm", "name": "Copied"}
    found, _ = wait_until(sandbox, made["uid"], "ready")
    assert (found["size"], found["requireSignedURLs"]) == (len(CLIP), True)


@pytest.mark.parametrize("address", ["{origin}/missing.webm", "http://192.0.2.1/clip.webm", "http://127.0.0.1:1/clip"])
def test_a_copy_that_cannot_be_fetched_fails_with_its_code(sandbox, origin, address):
    made = result(ask(sandbox, "POST", "/copy", json={"input": address.format(origin=origin)}))
    found, _ = wait_until(sandbox, made["uid"], "error")
    assert found["status"]["errorReasonCode"] == "ERR_FETCH_ORIGIN_ERROR"


def test_a_copy_goes_on_after_a_restart(tmp_path, origin):
    config = SandboxConfig(state_dir=tmp_path, cloudflare_encode_s=0.2)
    with Sandbox(config) as sandbox:
        library = sandbox.cloudflare.library
        uid = library.add(state="downloading", source=f"{origin}/clip.webm")["uid"]
    with Sandbox(config) as sandbox:
        assert wait_until(sandbox, uid, "ready")[0]["size"] == len(CLIP)


@pytest.mark.parametrize("body", [{}, {"input": "ftp://a/b"}, {"input": "clip.webm"}, {"input": 5}])
def test_a_copy_without_a_web_address_is_refused(sandbox, body):
    assert error_of(ask(sandbox, "POST", "/copy", json=body))[0] == 400
