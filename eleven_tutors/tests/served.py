"""The project served by granian in processes of their own, on the database of the test, for tests that kill it."""

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from base64 import b64encode
from pathlib import Path
from typing import Any

import requests

from eleven_tutors.tests.test_background import BASE_DIR, PATIENCE_S, process_environment
from embedded.run import SERVER_THREADS
from sandbox.server import Sandbox


def hosts_environment(sandbox: Sandbox, webhook_secret: str) -> dict[str, str]:
    """What leads a process beside us to the stand-ins."""
    return {
        "VDOCIPHER_API_URL": sandbox.vdocipher_api_url,
        "VDOCIPHER_PLAYER_URL": sandbox.vdocipher_player_url,
        "CLOUDFLARE_ACCOUNT_ID": sandbox.cloudflare_account_id,
        "CLOUDFLARE_STREAM_API_TOKEN": sandbox.config.cloudflare_api_token,
        "CLOUDFLARE_STREAM_SIGNING_KEY": sandbox.cloudflare_signing_key,
        "CLOUDFLARE_STREAM_WEBHOOK_SECRET": webhook_secret,
        "CLOUDFLARE_API_URL": sandbox.cloudflare_api_url,
        "CLOUDFLARE_STREAM_PLAYBACK_URL": sandbox.cloudflare_playback_url,
        "CLOUDFLARE_STREAM_PLAYER_SCRIPT_URL": sandbox.cloudflare_player_script_url,
        "BUNNY_LIBRARY_ID": sandbox.config.bunny_library_id,
        "BUNNY_STREAM_API_KEY": sandbox.config.bunny_api_key,
        "BUNNY_TOKEN_KEY": sandbox.config.bunny_token_key,
        "BUNNY_READ_ONLY_API_KEY": sandbox.config.bunny_read_only_key,
        "BUNNY_API_URL": sandbox.bunny_url,
        "BUNNY_PLAYER_URL": sandbox.bunny_player_url,
        "BUNNY_PLAYER_SCRIPT_URL": sandbox.bunny_player_script_url,
        "VIDEO_HOST_PRIMARY": "cloudflare",
        "VIDEO_HOST_FALLBACK": "vdocipher",
        "EMAIL_HOST": "127.0.0.1",
        "EMAIL_PORT": str(sandbox.smtp_port),
        "EMAIL_USE_TLS": "0",
    }


class Server:
    """granian as `make run` starts it; `folder` takes its log, its broker and its temporary files."""

    def __init__(self, folder: Path, sandbox: Sandbox, webhook_secret: str) -> None:
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.temporary = folder / "temporary"
        self.temporary.mkdir()
        self.log_path = folder / "server.log"
        self.environment = process_environment(
            f"sqla+sqlite:///{folder / 'broker.sqlite3'}",
            **hosts_environment(sandbox, webhook_secret),
            TMPDIR=str(self.temporary),
        )
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Serve, unless it does already."""
        if self._process is not None:
            return
        command = [sys.executable, "-m", "granian", "--interface=wsgi", "--host=127.0.0.1", f"--port={self.port}"]
        command += ["--workers=1", f"--blocking-threads={SERVER_THREADS}", "--log-level=warning"]
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(
                [*command, "eleven_tutors.wsgi:application"],
                env=self.environment,
                cwd=BASE_DIR,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + PATIENCE_S
        while not self._answers():
            assert time.monotonic() < deadline, self.log_path.read_text()[-3000:]
            time.sleep(0.1)

    def kill(self) -> None:
        """kill -9 for every process of it, as a machine that loses power does."""
        assert self._process is not None
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(10)
        self._process = None

    def stop(self) -> None:
        """End it, if it runs."""
        if self._process is not None:
            self.kill()

    def post(self, path: str, token: str, **more: Any) -> requests.Response:
        """What is answered; `more` is for `requests.post`."""
        headers = {"Authorization": f"Bearer {token}"} | more.pop("headers", {})
        return requests.post(self.url + path, headers=headers, timeout=PATIENCE_S, **more)

    def begin(
        self,
        path: str,
        token: str,
        body: bytes,
        *,
        length: int,
        method: str = "POST",
        content_type: str = "video/mp4",
    ) -> "Sending":
        """Send the head of a request and what there is of its body."""
        connection = Sending("127.0.0.1", self.port, timeout=PATIENCE_S)
        connection.putrequest(method, path)
        connection.putheader("Authorization", f"Bearer {token}")
        connection.putheader("Content-Type", content_type)
        connection.putheader("Content-Length", str(length))
        connection.endheaders()
        connection.send(body)
        return connection

    def _answers(self) -> bool:
        try:
            return requests.get(f"{self.url}/api/health/", timeout=2).ok
        except requests.RequestException:
            return False


class Sending(http.client.HTTPConnection):
    """A request that is under way."""

    def answer(self) -> tuple[int, Any]:
        """Status and parsed body."""
        with contextlib.closing(self):
            response = self.getresponse()
            return response.status, json.loads(response.read())

    def was_never_answered(self) -> bool:
        """Whether the connection ended without a status."""
        with contextlib.closing(self):
            try:
                self.getresponse()
            except ConnectionError:
                return True
            return False


class TusPage:
    """What a page does with a tus ticket, with nobody but the host."""

    def __init__(self, ticket: dict, body: bytes) -> None:
        self._headers = ticket["headers"] | {"Tus-Resumable": "1.0.0"}
        self._body = body
        pairs = (f"{name} {b64encode(value.encode()).decode()}" for name, value in ticket["metadata"].items())
        creation = {"Upload-Length": str(len(body)), "Upload-Metadata": ",".join(pairs)}
        answer = requests.post(ticket["endpoint"], headers=self._headers | creation, timeout=PATIENCE_S)
        self._url = answer.headers["Location"]

    def send(self, size: int) -> None:
        """Ask where the host stands and send so many bytes from there, or what is left."""
        offset = int(requests.head(self._url, headers=self._headers, timeout=PATIENCE_S).headers["Upload-Offset"])
        headers = {"Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream"}
        chunk = self._body[offset : offset + size]
        requests.patch(self._url, data=chunk, headers=self._headers | headers, timeout=PATIENCE_S).raise_for_status()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
