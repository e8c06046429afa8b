import socket
from urllib.parse import urlsplit

import pytest
import requests

from sandbox.config import SandboxConfig
from sandbox.server import Sandbox
from sandbox.tests.cloudflare.client import (
    ask,
    error_of,
    head,
    metadata,
    mp4,
    patch,
    result,
    start_tus,
    video,
    wait_until,
)

MIB = 1024 * 1024
SMALLEST, MULTIPLE = 5_242_880, 262_144


def film(size):
    """An MP4 of this many bytes: what follows its boxes is never looked at."""
    boxes = mp4(30)
    return boxes + (size - len(boxes)).to_bytes(4, "big") + b"free" + bytes(size - len(boxes) - 8)


def began(sandbox, length, **headers):
    answer = start_tus(sandbox, length, **headers)
    assert answer.status_code == 201, answer.text
    return answer.headers["Location"], answer.headers["stream-media-id"]


def test_a_file_in_pieces_becomes_ready(sandbox):
    body = film(2 * SMALLEST + 1000)
    address, uid = began(sandbox, len(body))
    assert patch(address, 0, body[:SMALLEST]).headers["Upload-Offset"] == str(SMALLEST)
    assert video(sandbox, uid)["status"]["state"] == "pendingupload"
    assert patch(address, SMALLEST, body[SMALLEST : 2 * SMALLEST]).status_code == 204
    last = patch(address, 2 * SMALLEST, body[2 * SMALLEST :])
    assert (last.status_code, last.headers["Upload-Offset"]) == (204, str(len(body)))
    found, _ = wait_until(sandbox, uid, "ready")
    assert (found["size"], found["duration"]) == (len(body), 30)


def test_the_creation_answers_with_headers_alone(sandbox):
    answer = start_tus(sandbox, 1000)
    assert (answer.status_code, answer.content, answer.headers["Tus-Resumable"]) == (201, b"", "1.0.0")
    assert answer.headers["stream-media-id"] not in answer.headers["Location"]
    assert head(answer.headers["Location"]).headers["Upload-Offset"] == "0"


@pytest.mark.parametrize("spelling", [str.lower, str.upper, lambda name: name])
def test_metadata_sets_the_video_whatever_its_case(sandbox, spelling):
    pairs = {"maxDurationSeconds": 600, "requiresignedurls": None, "allowedorigins": "a.com,*.b.com"}
    sent = metadata(**{spelling(name): value for name, value in pairs.items()}, name="x.mp4", lesson="7")
    _, uid = began(sandbox, 1000, Upload_Metadata=sent, Upload_Creator="user-42")
    found = video(sandbox, uid)
    assert (found["maxDurationSeconds"], found["requireSignedURLs"]) == (600, True)
    assert (found["allowedOrigins"], found["creator"]) == (["a.com", "*.b.com"], "user-42")
    assert found["meta"] == {"name": "x.mp4", "lesson": "7"}


def test_the_creator_in_the_metadata_and_a_json_body_are_not_heard(sandbox):
    answer = ask(
        sandbox,
        "POST",
        "?direct_user=true",
        headers={
            "Tus-Resumable": "1.0.0",
            "Upload-Length": "1000",
            "Upload-Metadata": metadata(creator="user-1"),
        },
        json={"creator": "user-2", "requireSignedURLs": True},
    )
    found = video(sandbox, answer.headers["stream-media-id"])
    assert (found["creator"], found["requireSignedURLs"]) == (None, False)


@pytest.mark.parametrize(
    "headers",
    [
        {"Upload_Length": ""},
        {"Upload_Length": "-1"},
        {"Upload_Metadata": "name not*base64"},
        {"Upload_Metadata": metadata(maxDurationSeconds="long")},
        {"Upload_Metadata": metadata(expiry="2020-01-01T00:00:00Z")},
        {"Upload_Creator": "x" * 65},
    ],
)
def test_a_creation_that_breaks_a_rule_is_refused(sandbox, headers):
    assert error_of(start_tus(sandbox, 1000, **headers))[0] == 400
    assert result(ask(sandbox, "GET", "")) == []


def test_thirty_gigabytes_are_the_limit(sandbox):
    assert start_tus(sandbox, 30 * 10**9).status_code == 201
    assert error_of(start_tus(sandbox, 30 * 10**9 + 1))[0] == 413


def test_another_version_of_tus_is_refused(sandbox):
    assert error_of(start_tus(sandbox, 1000, Tus_Resumable="0.2.2"))[0] == 412
    address, _ = began(sandbox, 1000)
    assert patch(address, 0, b"x" * 1000, Tus_Resumable="0.2.2").status_code == 412
    assert requests.head(address, timeout=5).status_code == 412


@pytest.mark.parametrize(
    ("size", "status"),
    [
        (SMALLEST - MULTIPLE, 400),
        (SMALLEST + 1, 400),
        (SMALLEST + MULTIPLE - 1, 400),
        (SMALLEST, 204),
        (SMALLEST + MULTIPLE, 204),
    ],
)
def test_a_chunk_that_is_not_the_last_keeps_to_its_sizes(sandbox, size, status):
    address, _ = began(sandbox, 20 * MIB)
    answer = patch(address, 0, bytes(size))
    assert answer.status_code == status
    assert head(address).headers["Upload-Offset"] == str(size if status == 204 else 0)


def test_no_chunk_is_larger_than_the_service_takes(sandbox):
    length = 209_715_200 + MULTIPLE
    address, _ = began(sandbox, length)
    assert error_of(without_body(address, 0, length))[0] == 413


def without_body(address, offset, length):
    """Announce a chunk and send none of it: a refusal comes before the body."""
    headers = {
        "Tus-Resumable": "1.0.0",
        "Upload-Offset": str(offset),
        "Content-Type": "application/offset+octet-stream",
    }
    request = requests.Request("PATCH", address, headers=headers).prepare()
    request.headers["Content-Length"] = str(length)
    with requests.Session() as session:
        return session.send(request, timeout=10)


def test_a_chunk_in_the_wrong_place_type_or_length_changes_nothing(sandbox):
    address, _ = began(sandbox, 1000)
    assert error_of(patch(address, 1, b"x" * 999))[0] == 409
    assert error_of(patch(address, 0, b"x" * 1000, Content_Type="application/octet-stream"))[0] == 415
    assert error_of(patch(address, 0, b"x" * 1001))[0] == 413
    assert error_of(patch(address, 0, iter([b"x" * 1000])))[0] == 411
    assert head(address).headers["Upload-Offset"] == "0"


def test_a_body_that_breaks_off_keeps_what_arrived_and_goes_on_from_there(sandbox):
    body = film(7 * MIB)
    address, uid = began(sandbox, len(body))
    cut_off(address, len(body), body[: 3 * MIB + 77])
    offset = int(head(address).headers["Upload-Offset"])
    assert 2 * MIB < offset <= 3 * MIB + 77
    assert patch(address, offset, body[offset:]).status_code == 204
    assert wait_until(sandbox, uid, "ready")[0]["size"] == len(body)


def cut_off(address, announced, body):
    """Send the beginning of a chunk and go away, then wait until the server has noticed."""
    parts = urlsplit(address)
    lines = (
        f"PATCH {parts.path} HTTP/1.1",
        f"Host: {parts.netloc}",
        "Tus-Resumable: 1.0.0",
        "Upload-Offset: 0",
        "Content-Type: application/offset+octet-stream",
        f"Content-Length: {announced}",
    )
    with socket.create_connection((parts.hostname, parts.port), timeout=10) as connection:
        connection.sendall("\r\n".join((*lines, "", "")).encode() + body)
        connection.shutdown(socket.SHUT_WR)
        connection.recv(65536)


def test_two_senders_at_once_do_not_mix(sandbox):
    address, _ = began(sandbox, 1000)
    with sandbox.cloudflare.uploads.alone(address.rpartition("/")[2]):
        assert error_of(patch(address, 0, b"x" * 1000))[0] == 423
    assert patch(address, 0, b"x" * 1000).status_code == 204


def test_an_unknown_a_deleted_and_an_expired_upload(sandbox):
    assert head(f"{sandbox.url}/cloudflare/tus/nope").status_code == 404
    address, uid = began(sandbox, 1000)
    key = address.rpartition("/")[2]
    upload = sandbox.cloudflare.uploads.find("tus", key)
    sandbox.context.store.put("cloudflare.uploads", key, upload | {"expires_at": 1})
    assert head(address).status_code == 410
    assert error_of(patch(address, 0, b"x" * 1000))[0] == 410
    ask(sandbox, "DELETE", f"/{uid}")
    assert head(address).status_code == 404


def test_a_finished_upload_still_says_so(sandbox):
    body = mp4(30)
    address, uid = began(sandbox, len(body))
    patch(address, 0, body)
    wait_until(sandbox, uid, "ready")
    answer = head(address)
    assert (answer.headers["Upload-Offset"], answer.headers["Upload-Length"]) == (str(len(body)), str(len(body)))


def test_a_file_that_is_no_video_fails_in_processing(sandbox):
    address, uid = began(sandbox, 1000)
    assert patch(address, 0, b"x" * 1000).status_code == 204
    assert wait_until(sandbox, uid, "error")[0]["status"]["errorReasonCode"] == "ERR_NON_VIDEO"


def test_browsers_may_use_the_direct_address(sandbox):
    address, _ = began(sandbox, 1000)
    preflight = requests.options(address, timeout=5)
    assert preflight.status_code == 204
    assert "PATCH" in preflight.headers["Access-Control-Allow-Methods"]
    for name in ("Tus-Resumable", "Upload-Offset", "Content-Type"):
        assert name in preflight.headers["Access-Control-Allow-Headers"]
    assert "Upload-Offset" in head(address).headers["Access-Control-Expose-Headers"]


def test_without_direct_user_the_address_needs_the_accounts_token(sandbox):
    body = mp4(30)
    answer = start_tus(sandbox, len(body), query="")
    address = answer.headers["Location"]
    assert address.startswith(sandbox.cloudflare_api_url)
    assert error_of(patch(address, 0, body)) == (401, 10000)
    bearer = {"Authorization": "Bearer cf_sandbox_11tutors"}
    assert head(address, **bearer).headers["Upload-Offset"] == "0"
    assert patch(address, 0, body, **bearer).status_code == 204
    wait_until(sandbox, answer.headers["stream-media-id"], "ready")


def test_an_upload_survives_a_restart(tmp_path):
    config = SandboxConfig(state_dir=tmp_path, cloudflare_encode_s=0.2)
    body = film(6 * MIB)
    with Sandbox(config) as sandbox:
        address, uid = began(sandbox, len(body))
        patch(address, 0, body[:SMALLEST])
        path = urlsplit(address).path
    with Sandbox(config) as sandbox:
        address = sandbox.url + path
        assert head(address).headers["Upload-Offset"] == str(SMALLEST)
        assert patch(address, SMALLEST, body[SMALLEST:]).status_code == 204
    with Sandbox(config) as sandbox:
        assert wait_until(sandbox, uid, "ready")[0]["size"] == len(body)


def test_a_file_whose_last_byte_came_right_before_a_crash_is_processed_after_the_restart(tmp_path):
    config = SandboxConfig(state_dir=tmp_path, cloudflare_encode_s=0.2)
    body = mp4(30)
    with Sandbox(config) as sandbox:
        _, uid = began(sandbox, len(body))
        sandbox.cloudflare.library.file_of(uid).write_bytes(body)
    with Sandbox(config) as sandbox:
        assert wait_until(sandbox, uid, "ready")[0]["duration"] == 30
