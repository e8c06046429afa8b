"""`make run` as a person starts it: it comes up, heals, and leaves nothing behind."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import requests

BASE_DIR = Path(__file__).resolve().parents[2]
PATIENCE_S = 90


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Running:
    """One `make run` with a state folder and ports of its own, and what it printed so far."""

    def __init__(self, var_dir: Path, port: int | None = None) -> None:
        self.port, self.sandbox_port = port or free_port(), free_port()
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        environment = kept | {"VAR_DIR": str(var_dir), "PORT": str(self.port), "SANDBOX_PORT": str(self.sandbox_port)}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "embedded.run"],
            cwd=BASE_DIR,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as output:
            self.lines.extend(line.rstrip("\n") for line in output)

    def wait_for(self, text: str) -> str:
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            for line in self.lines:
                if text in line:
                    return line
            time.sleep(0.1)
        raise AssertionError(f"{text!r} was not printed: {self.lines}")

    def children(self) -> list[int]:
        listed = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [int(pid) for pid in listed.split()]

    def stop(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        code = self.process.wait(30)
        self._reader.join(5)
        return code


def is_alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="looks for left-over processes in /proc, so Linux alone")
def test_it_comes_up_heals_and_stops_with_all_its_children(tmp_path):
    running = Running(tmp_path)
    try:
        line = running.wait_for("11Tutors is running at")
        assert line == f"11Tutors is running at http://127.0.0.1:{running.port}/"
        assert requests.get(f"http://127.0.0.1:{running.port}/api/health/ready/", timeout=5).json()["status"] == "ok"
        assert requests.get(f"http://127.0.0.1:{running.sandbox_port}/mail/messages.json", timeout=5).json() == []
        first = running.children()
        assert len(first) == 5
        beat = next(pid for pid in first if "\0beat\0" in Path(f"/proc/{pid}/cmdline").read_text())
        os.kill(beat, signal.SIGKILL)
        running.wait_for("beat ended with code -9; starting it again")
        children = [*first, *running.children()]
    finally:
        code = running.stop()
    assert code == 0
    assert running.lines[-1] == "Stopped."
    assert [pid for pid in children if is_alive(pid)] == []


def test_a_taken_port_is_named_with_a_way_out(tmp_path):
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        running = Running(tmp_path, port=port)
        assert running.process.wait(PATIENCE_S) == 1
        running.wait_for(f"Port {port} is taken. Choose another: make run PORT={port + 10}")
