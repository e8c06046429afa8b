import os
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

STOP_GRACE_S = 10
RESTART_PAUSE_S = (1, 2, 5, 10, 30)
HEALTHY_AFTER_S = 60


class ProcessFailed(Exception):
    """A command of the set-up ended badly; the message holds the end of its output."""


@dataclass
class Service:
    """A long-running child with a log file of its own, restarted with a growing pause when it dies."""

    name: str
    command: list[str]
    environment: Mapping[str, str] = field(repr=False)
    log_path: Path
    deaths: int = 0
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0
    restart_at: float = 0

    def start(self) -> None:
        self.log_path.parent.mkdir(parents=True, exist_ok=True)
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603 (commands are ours)
                self.command,
                env=dict(self.environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.started_at = time.monotonic()
        self.restart_at = 0

    def keep_alive(self) -> str:
        """Start the child again when it is dead and its pause is over; gives a line to print, or nothing."""
        if self.process is None or self.process.poll() is None:
            return ""
        now = time.monotonic()
        if not self.restart_at:
            self.deaths = 0 if now - self.started_at > HEALTHY_AFTER_S else self.deaths
            pause = RESTART_PAUSE_S[min(self.deaths, len(RESTART_PAUSE_S) - 1)]
            self.deaths += 1
            self.restart_at = now + pause
            code = self.process.returncode
            return f"{self.name} ended with code {code}; starting it again in {pause} s ({self.log_path})"
        if now >= self.restart_at:
            self.start()
        return ""

    def ask_to_stop(self) -> None:
        self._signal(signal.SIGTERM)

    def wait_or_kill(self, deadline: float) -> None:
        if self.process is None:
            return
        try:
            self.process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            self._signal(signal.SIGKILL)
            self.process.wait()

    def tail(self, lines: int = 15) -> str:
        if not self.log_path.exists():
            return ""
        return "\n".join(self.log_path.read_text(errors="replace").splitlines()[-lines:])

    def _signal(self, number: int) -> None:
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, number)


def stop_all(services: list[Service]) -> None:
    """Stop children in reverse order of their start; whoever is left after the grace is killed."""
    deadline = time.monotonic() + STOP_GRACE_S
    for service in reversed(services):
        service.ask_to_stop()
    for service in reversed(services):
        service.wait_or_kill(deadline)


def run_to_end(command: list[str], environment: Mapping[str, str]) -> str:
    """Run one command of the set-up and give its output; raises `ProcessFailed`."""
    done = subprocess.run(command, env=dict(environment), capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise ProcessFailed(f"{' '.join(command[1:])} failed:\n{(done.stdout + done.stderr)[-3000:]}")
    return done.stdout
