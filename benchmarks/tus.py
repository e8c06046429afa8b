"""What a file costs that comes through this server by tus, beside a view that only reads it.

Called with a number of bytes and a count it prints the addresses of as many uploads of that size, as JSON.
"""

import base64
import http.client
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import django

from benchmarks import running

GIB = 1024**3
READ = "/calibration/body/"
HUGE_BYTES = 5 * 1000**3
ROUNDS = 5
HEADERS = {"Tus-Resumable": "1.0.0", "Content-Type": "application/offset+octet-stream"}
PAUSE_S = 0.05
WANTED_RATIO = 0.3
WANTED_MIB = 100


def with_uploads(folder: Path) -> dict[str, str]:
    """What the measured processes get besides, to have a host of our own in `folder`."""
    return {
        "VIDEO_CONTENT_KEYS": f"benchmark={base64.b64encode(bytes(32)).decode()}",
        "VIDEO_STORE_DIR": str(folder / "videos"),
        "VIDEO_WORK_DIR": str(folder / "work"),
    }


def measure(base_url: str, variables: dict[str, str], folder: Path) -> None:
    """Print the table; raises RuntimeError when a file is not as long as what was sent."""
    source = folder / "zeros"
    with source.open("wb") as file:
        file.truncate(HUGE_BYTES)
    send = Sender(base_url, source)
    print(f"\n| a file through this server, the best of {ROUNDS} | MB/s | ratio | wanted |\n|---|---|---|---|")
    uploads = iter(_uploads(variables, GIB, ROUNDS * 2))
    ways: dict[str, Callable[[], float]] = {
        "(a view that only reads, 1 GiB)": lambda: send("POST", READ, GIB),
        "tus, 1 GiB in one PATCH": lambda: send("PATCH", next(uploads), GIB),
        "tus, 1 GiB in PATCHes of 64 MiB": lambda: _in_chunks(send, next(uploads), 64 * 1024**2),
    }
    seconds = [[send_it() for send_it in ways.values()] for _ in range(ROUNDS)]
    best = [min(taken) for taken in zip(*seconds, strict=True)]
    for name, took_s in zip(ways, best, strict=True):
        print(f"| {name} | {GIB / took_s / 1e6:.0f} | {best[0] / took_s:.2f} | {WANTED_RATIO:.2f} |", flush=True)
    _measure_memory(send, variables, base_url)
    written = sorted(path.stat().st_size for path in Path(variables["VIDEO_STORE_DIR"]).rglob("source"))
    if written != [GIB] * (ROUNDS * 2) + [HUGE_BYTES]:
        raise RuntimeError(f"Of what was sent there are {written} bytes.")


class Sender:
    """Sends the zeros of one file; gives the seconds it took."""

    def __init__(self, base_url: str, source: Path) -> None:
        self._address, self._source = urlsplit(base_url).netloc, source

    def __call__(self, method: str, path: str, size: int, offset: int = 0) -> float:
        connection = http.client.HTTPConnection(self._address, timeout=600)
        began = time.monotonic()
        connection.putrequest(method, path)
        for name, value in (HEADERS | {"Upload-Offset": str(offset), "Content-Length": str(size)}).items():
            connection.putheader(name, value)
        connection.endheaders()
        with self._source.open("rb") as file:
            connection.sock.sendfile(file, 0, size)
        answer = connection.getresponse()
        answer.read()
        took_s = time.monotonic() - began
        connection.close()
        if answer.status != 204:
            raise RuntimeError(f"{method} {path.rpartition('/uploads/')[0]} was answered {answer.status}.")
        return took_s


def _in_chunks(send: Sender, path: str, chunk_bytes: int) -> float:
    return sum(send("PATCH", path, chunk_bytes, offset) for offset in range(0, GIB, chunk_bytes))


def _measure_memory(send: Sender, variables: dict[str, str], base_url: str) -> None:
    (path,) = _uploads(variables, HUGE_BYTES, 1)
    server = _server_of(base_url)
    idle = _resident_mib(server)
    with _watched(server) as seen:
        took_s = send("PATCH", path, HUGE_BYTES)
    more = max(seen) - idle
    print(f"\n{HUGE_BYTES / 1000**3:.0f} GB in one PATCH: {HUGE_BYTES / took_s / 1e6:.0f} MB/s, ", end="")
    print(
        f"memory {idle:.0f} MiB idle, {max(seen):.0f} MiB at most: {more:.0f} more (wanted: {WANTED_MIB})", flush=True
    )


@contextmanager
def _watched(process: int) -> Iterator[list[float]]:
    """What a process and its children hold, looked at again and again until the end of the block."""
    seen = [_resident_mib(process)]
    is_over = threading.Event()

    def look() -> None:
        while not is_over.wait(PAUSE_S):
            seen.append(_resident_mib(process))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield seen
    finally:
        is_over.set()
        thread.join()


def _server_of(base_url: str) -> int:
    """The process that was started to serve this address."""
    port = f"--port={urlsplit(base_url).port}"
    for folder in Path("/proc").glob("[0-9]*"):
        if port.encode() in (folder / "cmdline").read_bytes().split(b"\0"):
            return int(folder.name)
    raise RuntimeError(f"Nobody serves {base_url}.")


def _resident_mib(process: int) -> float:
    """The memory of a process and of its children's children that is not a file's."""
    children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    status = Path(f"/proc/{process}/status").read_text()
    anonymous = next(line for line in status.splitlines() if line.startswith("RssAnon:"))
    return int(anonymous.split()[1]) / 1024 + sum(_resident_mib(int(child)) for child in children)


def _uploads(variables: dict[str, str], size: int, count: int) -> list[str]:
    command = [sys.executable, "-m", "benchmarks.tus", str(size), str(count)]
    done = subprocess.run(command, env=variables, cwd=running.BASE_DIR, stdout=subprocess.PIPE, check=True)
    addresses: list[str] = json.loads(done.stdout)
    return addresses


def main() -> None:
    django.setup()
    from videos.hosted.services.uploading.tus import address  # noqa: PLC0415 (settings first)
    from videos.hosted.services.uploading.uploads import open_upload  # noqa: PLC0415
    from videos.providers.types import UploadRequest  # noqa: PLC0415

    size, count = int(sys.argv[1]), int(sys.argv[2])
    request = UploadRequest(title="Zeros", filename="zeros.mp4", size_bytes=size, content_type="video/mp4")
    json.dump([address(open_upload(alias="hosted", request=request)) for _ in range(count)], sys.stdout)


if __name__ == "__main__":
    main()
