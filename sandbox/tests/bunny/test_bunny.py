import base64
import hashlib
import hmac
import time

import pytest
import requests

from sandbox.bunny import player, tus
from sandbox.bunny.library import VideoStatus
from sandbox.config import SandboxConfig
from sandbox.server import Sandbox
from sandbox.tests.receiver import Receiver

WEBM = b"\x1a\x45\xdf\xa3" + b"webm" * 30


@pytest.fixture
def sandbox():
    with Sandbox(SandboxConfig(bunny_encode_s=0.1)) as running:
        yield running


def ask(sandbox, method, path="", *, key="bunny_sandbox_11tutors", **arguments):
    url = f"{sandbox.bunny_url}/library/133/videos{path}"
    return requests.request(method, url, headers={"AccessKey": key}, timeout=5, **arguments)


def signed(sandbox, guid, *, expires=None, **overrides):
    expires = str(int(time.time()) + 60 if expires is None else expires)
    pairs = {"filetype": "video/webm", "title": "Zoo"}
    return {
        "Tus-Resumable": "1.0.0",
        "AuthorizationSignature": tus.signature(sandbox.context, expires, guid),
        "AuthorizationExpire": expires,
        "LibraryId": "133",
        "VideoId": guid,
        "Upload-Length": str(len(WEBM)),
        "Upload-Metadata": ",".join(f"{k} {base64.b64encode(v.encode()).decode()}" for k, v in pairs.items()),
    } | overrides


def create(sandbox, headers):
    return requests.post(f"{sandbox.bunny_url}/tusupload", headers=headers, timeout=5)


def send(address, headers, content=WEBM, offset=0):
    chunk = {"Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream"}
    return requests.patch(address, data=content, headers=headers | chunk, timeout=5)


@pytest.mark.parametrize("key", ["", "wrong", "read-only-key-of-the-bunny-sandbox"])
def test_another_key_is_refused(sandbox, key):
    assert ask(sandbox, "GET", key=key).status_code == 401


def test_a_video_is_made_shown_renamed_listed_and_deleted(sandbox):
    made = ask(sandbox, "POST", json={"title": "Zoo"}).json()
    guid = made["guid"]
    assert (made["status"], made["title"]) == (0, "Zoo")
    assert ask(sandbox, "POST", f"/{guid}", json={"title": "Otters"}).status_code == 200
    assert ask(sandbox, "GET", f"/{guid}").json()["title"] == "Otters"
    assert ask(sandbox, "GET", params={"itemsPerPage": 1}).json()["items"][0]["guid"] == guid
    assert ask(sandbox, "DELETE", f"/{guid}").status_code == 200
    assert ask(sandbox, "DELETE", f"/{guid}").status_code == 404
    assert ask(sandbox, "POST", json={}).status_code == 400


def test_an_uploaded_file_becomes_playable_and_the_hooks_tell(sandbox):
    guid = sandbox.bunny.add_video(status=VideoStatus.CREATED)
    with Receiver() as receiver:
        sandbox.context.webhooks.bunny_url = receiver.url
        headers = signed(sandbox, guid)
        address = create(sandbox, headers).headers["Location"]
        assert send(address, headers, WEBM[:50]).headers["Upload-Offset"] == "50"
        assert requests.head(address, headers=headers, timeout=5).headers["Upload-Offset"] == "50"
        assert send(address, headers, WEBM[50:], offset=50).status_code == 204
        hooks = receiver.wait_for(3)
    assert sorted(hook.json["Status"] for hook in hooks) == [3, 4, 7]
    assert {(hook.json["VideoLibraryId"], hook.json["VideoGuid"]) for hook in hooks} == {(133, guid)}
    for hook in hooks:
        digest = hmac.new(b"read-only-key-of-the-bunny-sandbox", hook.body, hashlib.sha256).hexdigest()
        assert hook.headers["X-BunnyStream-Signature"] == digest
    video = ask(sandbox, "GET", f"/{guid}").json()
    assert (video["status"], video["length"], video["storageSize"]) == (4, 48, len(WEBM))


def test_a_file_that_is_no_video_fails(sandbox):
    guid = sandbox.bunny.add_video(status=VideoStatus.CREATED)
    with Receiver() as receiver:
        sandbox.context.webhooks.bunny_url = receiver.url
        headers = signed(sandbox, guid, **{"Upload-Length": "4"})
        send(create(sandbox, headers).headers["Location"], headers, b"text")
        hooks = receiver.wait_for(2)
    assert sorted(hook.json["Status"] for hook in hooks) == [5, 7]
    assert ask(sandbox, "GET", f"/{guid}").json()["status"] == 5


@pytest.mark.parametrize(
    ("overrides", "status"),
    [
        ({"AuthorizationSignature": "0" * 64}, 401),
        ({"AuthorizationExpire": "9999999999"}, 401),
        ({"LibraryId": "134"}, 401),
        ({"VideoId": "another"}, 401),
        ({"Upload-Metadata": "title Wm9v"}, 400),
        ({"Upload-Metadata": "filetype dmlkZW8vd2VibQ=="}, 400),
        ({"Upload-Metadata": "title ###"}, 400),
        ({"Upload-Length": "many"}, 400),
        ({"Tus-Resumable": "0.2.2"}, 412),
    ],
)
def test_an_upload_that_breaks_a_rule_is_refused(sandbox, overrides, status):
    guid = sandbox.bunny.add_video(status=VideoStatus.CREATED)
    assert create(sandbox, signed(sandbox, guid) | overrides).status_code == status


def test_a_signature_that_ends_during_the_upload_ends_it(sandbox):
    guid = sandbox.bunny.add_video(status=VideoStatus.CREATED)
    address = create(sandbox, signed(sandbox, guid)).headers["Location"]
    assert send(address, signed(sandbox, guid, expires=int(time.time()) - 1)).status_code == 401


def test_a_chunk_must_fit_where_it_is_put(sandbox):
    guid = sandbox.bunny.add_video(status=VideoStatus.CREATED)
    headers = signed(sandbox, guid)
    address = create(sandbox, headers).headers["Location"]
    assert send(address, headers, WEBM, offset=1).status_code == 409
    assert send(address, headers, WEBM + b"x").status_code == 413
    assert send(f"{address}0", headers).status_code == 404


def test_the_player_wants_a_token_of_this_video_that_has_not_ended(sandbox):
    guid = sandbox.bunny.add_video()
    waiting = sandbox.bunny.add_video(status=VideoStatus.CREATED)
    key, soon = sandbox.config.bunny_token_key, int(time.time()) + 60

    def status(of, expires, token_of=None):
        token = player.token(key, token_of or of, str(expires))
        params = {"token": token, "expires": expires}
        return requests.get(f"{sandbox.bunny_player_url}/133/{of}", params=params, timeout=5).status_code

    assert status(guid, soon) == 200
    assert status(guid, soon - 120) == 403
    assert status(guid, soon, token_of=waiting) == 403
    assert status(waiting, soon) == 403
    assert status("unknown", soon) == 404


def test_no_key_is_in_the_log_of_calls(sandbox):
    ask(sandbox, "GET")
    assert "bunny_sandbox_11tutors" not in str(sandbox.calls("bunny"))
