"""Plain calls to the Cloudflare stand-in over HTTP, and files to send to it."""

import base64
import json
import struct
import time

import jwt
import requests
from jwt.algorithms import RSAAlgorithm

from sandbox.cloudflare.media import SAMPLE

TOKEN = "cf_sandbox_11tutors"
CLIP = SAMPLE.read_bytes()


def ask(sandbox, method, path, *, token=TOKEN, account=None, headers=(), **arguments):
    """One call to `/stream` + path of the account."""
    url = f"{sandbox.cloudflare_api_url}/accounts/{account or sandbox.cloudflare_account_id}/stream{path}"
    all_headers = {"Authorization": f"Bearer {token}"} | dict(headers)
    return requests.request(method, url, headers=all_headers, timeout=20, **arguments)


def result(answer):
    body = answer.json()
    assert answer.status_code == 200, body
    assert (body["success"], body["errors"], body["messages"]) == (True, [], [])
    return body["result"]


def error_of(answer):
    """Status and number of a refusal, whose envelope is checked on the way."""
    body = answer.json()
    assert (body["success"], body["result"], body["messages"]) == (False, None, [])
    return answer.status_code, body["errors"][0]["code"]


def video(sandbox, uid):
    return result(ask(sandbox, "GET", f"/{uid}"))


def wait_until(sandbox, uid, state, timeout_s=5):
    """The video once it is in this state, and every state seen on the way."""
    deadline = time.monotonic() + timeout_s
    seen = []
    while time.monotonic() < deadline:
        found = video(sandbox, uid)
        if found["status"]["state"] not in seen:
            seen.append(found["status"]["state"])
        if found["status"]["state"] == state:
            return found, seen
        time.sleep(0.02)
    raise AssertionError(f"never {state}: {seen}")


def reserve(sandbox, **body):
    return result(ask(sandbox, "POST", "/direct_upload", json={"maxDurationSeconds": 600} | body))


def metadata(**pairs):
    """Upload-Metadata: values in base64, a value of None for a flag."""
    return ",".join(
        name if value is None else f"{name} {base64.b64encode(str(value).encode()).decode()}"
        for name, value in pairs.items()
    )


def start_tus(sandbox, length, *, query="?direct_user=true", **headers):
    usual = {"Tus-Resumable": "1.0.0", "Upload-Length": str(length), "Upload-Metadata": metadata(name="x.webm")}
    return ask(sandbox, "POST", query, headers=usual | {k.replace("_", "-"): v for k, v in headers.items()})


def patch(address, offset, body, **headers):
    usual = {
        "Tus-Resumable": "1.0.0",
        "Upload-Offset": str(offset),
        "Content-Type": "application/offset+octet-stream",
    }
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return requests.patch(address, data=body, headers=usual | named, timeout=30)


def head(address, **headers):
    return requests.head(address, headers={"Tus-Resumable": "1.0.0"} | headers, timeout=10)


def sign(sandbox, uid, *, key=None, key_id=None, **claims):
    """A token as a server signs it locally; claims of None are left out."""
    jwk = json.loads(base64.b64decode(key or sandbox.cloudflare_signing_key))
    key_id = key_id or jwk["kid"]
    payload = {"sub": uid, "kid": key_id, "exp": int(time.time()) + 600} | claims
    payload = {name: value for name, value in payload.items() if value is not None}
    return jwt.encode(payload, RSAAlgorithm.from_jwk(jwk), algorithm="RS256", headers={"kid": key_id})


def play(sandbox, reference, path="iframe", **headers):
    return requests.get(f"{sandbox.cloudflare_playback_url}/{reference}/{path}", headers=headers, timeout=10)


def mp4(duration_s=12.5, width=640, height=360, version=0):
    """The boxes of an MP4 that hold its length and its size, and nothing to play."""

    def box(kind, content):
        return struct.pack(">I", 8 + len(content)) + kind + content

    numbers = (0, 0, 1000, round(duration_s * 1000))
    times = struct.pack(">QQIQ" if version else ">IIII", *numbers)
    movie = box(b"mvhd", bytes([version, 0, 0, 0]) + times + bytes(80))
    track = box(b"trak", box(b"tkhd", bytes(76) + struct.pack(">II", width << 16, height << 16)))
    return box(b"ftyp", b"isom\0\0\2\0isomiso2") + box(b"moov", movie + track) + box(b"mdat", bytes(1000))
