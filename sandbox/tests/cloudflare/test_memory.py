import http.client
import itertools
import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from sandbox.config import SandboxConfig
from sandbox.tests.cloudflare.client import mp4, reserve, start_tus


def memory_kb(pid):
    [line] = [line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1])


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="reads the memory in use from /proc, so Linux alone")
def test_a_large_file_passes_through_little_memory(tmp_path):
    size = 120_000_000
    with subprocess.Popen([sys.executable, "-m", "sandbox", "--port=0", f"--state-dir={tmp_path}"]) as process:
        try:
            written = tmp_path / "sandbox.json"
            deadline = time.monotonic() + 20
            while not (written.exists() and written.read_text()) and time.monotonic() < deadline:
                time.sleep(0.05)
            sandbox = Elsewhere(json.loads(written.read_text())["url"])
            before = memory_kb(process.pid)
            form, tus = reserve(sandbox), start_tus(sandbox, size)
            beginning = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.mp4"\r\n\r\n' + mp4(9)
            assert (
                stream(form["uploadURL"], "multipart/form-data; boundary=x", beginning, size, b"\r\n--x--\r\n") == 200
            )
            assert stream(tus.headers["Location"], "application/offset+octet-stream", mp4(9), size) == 204
            assert memory_kb(process.pid) - before < 40_000
        finally:
            process.terminate()


@dataclass
class Elsewhere:
    """What the calls need to know of a sandbox in another process."""

    url: str
    cloudflare_account_id: str = SandboxConfig.cloudflare_account_id

    @property
    def cloudflare_api_url(self):
        return f"{self.url}/cloudflare/client/v4"


def stream(address, content_type, beginning, size, end=b""):
    """Send `size` bytes without holding them, and give the answer's status."""
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.netloc, timeout=60)
    filling = size - len(beginning) - len(end)
    pieces = (bytes(min(1 << 20, filling - at)) for at in range(0, filling, 1 << 20))
    headers = {
        "Tus-Resumable": "1.0.0",
        "Upload-Offset": "0",
        "Content-Type": content_type,
        "Content-Length": str(size),
    }
    method = "PATCH" if "/tus/" in address else "POST"
    connection.request(method, parts.path, body=itertools.chain([beginning], pieces, [end]), headers=headers)
    status = connection.getresponse().status
    connection.close()
    return status
