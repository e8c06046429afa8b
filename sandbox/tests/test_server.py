import json
import os
import re
import signal
import socket
import subprocess
import sys
import time

import pytest
import requests

from sandbox.config import SandboxConfig
from sandbox.server import Sandbox
from sandbox.tests.vdocipher_client import SECRET, ask, new_video


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "localhost", ""])
def test_only_loopback_addresses_are_bound(host):
    with pytest.raises(ValueError, match="loopback"):
        Sandbox(SandboxConfig(host=host))


def test_the_start_page_says_what_stands_in_for_what(sandbox):
    page = requests.get(sandbox.url + "/", timeout=5).text
    for words in ("Stripe", "VdoCipher", "/mail", "/_control/", f"127.0.0.1:{sandbox.smtp_port}"):
        assert words in page


def test_pages_load_nothing_from_elsewhere(sandbox):
    for path in ("/", "/mail", "/_control/"):
        page = requests.get(sandbox.url + path, timeout=5).text
        assert not re.search(r"""(?:src|<link[^>]*href|@import)\s*[=(]?\s*["']?https?://""", page), path


def test_one_connection_serves_many_requests(sandbox):
    with socket.create_connection(("127.0.0.1", int(sandbox.url.rpartition(":")[2])), timeout=5) as connection:
        stream = connection.makefile("rb")
        for _ in range(3):
            connection.sendall(b"GET /mail/messages.json HTTP/1.1\r\nHost: sandbox\r\n\r\n")
            assert stream.readline() == b"HTTP/1.1 200 OK\r\n"
            headers = dict(line.split(b": ", 1) for line in iter(stream.readline, b"\r\n"))
            assert stream.read(int(headers[b"Content-Length"])).strip() == b"[]"
        stream.close()


def test_a_body_nobody_read_does_not_spoil_the_next_request(sandbox):
    with requests.Session() as session:
        for _ in range(2):
            assert (
                session.post(sandbox.url + "/nowhere", data=b"GET / HTTP/1.1\r\n\r\n" * 40, timeout=5).status_code
                == 404
            )
        assert session.get(sandbox.url + "/mail/messages.json", timeout=5).json() == []


def test_a_stopped_sandbox_answers_nobody_any_more():
    with Sandbox() as sandbox, requests.Session() as session:
        url = sandbox.url + "/mail/messages.json"
        assert session.get(url, timeout=5).ok
        sandbox.stop()
        with pytest.raises(requests.ConnectionError):
            session.get(url, timeout=5)


def test_reset_forgets_videos_faults_calls_and_hook_addresses(sandbox):
    new_video(sandbox)
    ask(sandbox, "GET", "/videos")
    sandbox.fault(service="vdocipher", path="/videos", status=500, times=0)
    sandbox.context.webhooks.vdocipher_url = "http://127.0.0.1:9/elsewhere"
    assert requests.post(sandbox.url + "/_control/reset", timeout=5).status_code == 200
    assert sandbox.calls() == []
    assert sandbox.context.webhooks.vdocipher_url == ""
    assert ask(sandbox, "GET", "/videos").json() == {"count": 0, "rows": []}


def test_calls_show_what_was_asked_without_secrets(sandbox):
    video_id = new_video(sandbox)
    ask(sandbox, "POST", f"/videos/{video_id}/otp?note={SECRET}", json={"ttl": 300, "userId": "u1"})
    ask(sandbox, "GET", f"/videos/{'0' * 32}")
    calls = requests.get(sandbox.url + "/_control/calls?service=vdocipher", timeout=5).json()
    first, second = calls
    assert (first["method"], first["path"]) == ("POST", f"/vdocipher/api/videos/{video_id}/otp")
    assert json.loads(first["body"]) == {"ttl": 300, "userId": "u1"}
    assert [first["status"], second["status"]] == [200, 404]
    assert first["headers"]["Authorization"] == "***"
    assert SECRET not in json.dumps(calls)
    assert requests.get(sandbox.url + "/_control/calls?service=stripe", timeout=5).json() == []


def test_webhook_addresses_can_be_set_while_it_runs(sandbox):
    values = {"stripe_url": "http://127.0.0.1:9/s", "stripe_secret": "whsec_x", "vdocipher_url": "http://127.0.0.1:9/v"}
    assert requests.post(sandbox.url + "/_control/webhooks", json=values, timeout=5).status_code == 200
    webhooks = sandbox.context.webhooks
    assert {name: getattr(webhooks, name) for name in values} == values


@pytest.mark.parametrize("values", [{"stripe": "x"}, {"stripe_url": 1}, {"vdocipher_url": "ftp://x"}, "text"])
def test_a_wrong_webhook_setting_is_refused_and_changes_nothing(sandbox, values):
    answer = requests.post(sandbox.url + "/_control/webhooks", json=values, timeout=5)
    assert answer.status_code == 400
    assert answer.json()["message"]
    assert sandbox.context.webhooks.stripe_url == ""


def test_state_outlives_the_sandbox(tmp_path):
    config = SandboxConfig(state_dir=tmp_path / "state", vdocipher_encode_s=0.3)
    with Sandbox(config) as sandbox:
        kept = new_video(sandbox, title="Kept")
        imported = ask(sandbox, "PUT", "/videos/importUrl", json={"url": "https://example.com/a.mp4"}).json()["id"]
    with Sandbox(config) as sandbox:
        assert ask(sandbox, "GET", f"/videos/{kept}").json()["title"] == "Kept"
        deadline = time.monotonic() + 5
        while ask(sandbox, "GET", f"/videos/{imported}").json()["status"] == "Queued" and time.monotonic() < deadline:
            time.sleep(0.05)
        assert ask(sandbox, "GET", f"/videos/{imported}").json()["status"] == "ready"


@pytest.mark.parametrize("stop_signal", [signal.SIGINT, signal.SIGTERM])
def test_the_command_announces_itself_and_stops_cleanly(tmp_path, stop_signal):
    command = [sys.executable, "-m", "sandbox", "--port", "0", "--state-dir", str(tmp_path / "state")]
    for _ in range(2):
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ)
        try:
            line = process.stdout.readline()
            written = json.loads((tmp_path / "state" / "sandbox.json").read_text())
            assert written["url"] in line
            assert str(written["smtp_port"]) in line
            assert requests.get(written["url"] + "/", timeout=5).status_code == 200
            process.send_signal(stop_signal)
            output, errors = process.communicate(timeout=10)
        finally:
            process.kill()
            process.wait()
        assert (process.returncode, output, errors) == (0, "", "")


def test_the_command_refuses_another_host_in_a_sentence(tmp_path):
    command = [sys.executable, "-m", "sandbox", "--host", "0.0.0.0", "--port", "0", "--state-dir", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 1
    assert "loopback" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_browser_that_looks_for_an_icon_finds_nothing_wrong(sandbox):
    assert requests.get(f"{sandbox.url}/favicon.ico", timeout=5).status_code == 204
