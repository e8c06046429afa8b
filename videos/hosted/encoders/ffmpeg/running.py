"""Tools as child processes that are trusted with nothing: limited, watched, and gone when their work is."""

import atexit
import os
import selectors
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from videos.hosted.seams.encoder import EncodeInterrupted

GIB = 1024**3
LOOK_S = 0.5
"""How often a waiting worker shows that it lives."""
STDERR_BYTES = 4096
STDOUT_BYTES = 64 * 1024**2
ROOM_BYTES = 16 * 1024**2
"""A failure with less room than this on the disk is put down to the disk."""
STOPPED_BY_SIGNAL = 255
"""What ffmpeg ends with when a signal told it to."""
ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C", "AV_LOG_FORCE_NOCOLOR": "1", "MALLOC_ARENA_MAX": "4"}
"""All that a tool is told; glibc would reserve 64 MB of addresses for each thread, which count as memory."""
_STARTED = str(Path(__file__).with_name("started.py"))
_CRASHES = {signal.SIGSEGV, signal.SIGABRT, signal.SIGFPE, signal.SIGILL}
_NOT_THE_FILES_FAULT = ("No space left on device", "Disk quota exceeded", "Cannot allocate memory")
_running: set[int] = set()


class ToolFailed(Exception):
    """A tool ended with an error that is its input's fault; the message is the end of what it wrote."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """`wall_s` and `cpu_s` are seconds; `file_bytes` is the size of the largest file that may be written."""

    wall_s: float
    cpu_s: int
    memory_bytes: int = 16 * GIB
    file_bytes: int = GIB


@dataclass(frozen=True, kw_only=True)
class Command:
    """`argv` begins with the tool's path; names in it are relative to `folder`. `secrets` are kept out of messages."""

    argv: Sequence[str]
    folder: Path
    limits: Limits
    secrets: Sequence[str] = field(default=(), repr=False)


def _nothing() -> None:
    return None


def run(
    command: Command, *, on_line: Callable[[str], None] | None = None, beat: Callable[[], None] = _nothing
) -> bytes:
    """Run a tool to its end; gives what it wrote to stdout, unless `on_line` takes it line by line.

    `beat` is called at least every second; what it or `on_line` raises ends the tool and is let through. Raises
    ToolFailed, or EncodeInterrupted for a time-out, a tool that was killed, a full disk or no memory.
    """
    limits = command.limits
    limited = [str(os.getpid()), str(limits.cpu_s), str(limits.memory_bytes), str(limits.file_bytes)]
    process = subprocess.Popen(  # noqa: S603  # a list of words of ours, no shell
        [sys.executable, "-I", "-S", _STARTED, *limited, *command.argv],
        cwd=command.folder,
        env=ENVIRONMENT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    _running.add(process.pid)
    try:
        heard = _Heard(on_line)
        _listen(process, heard, limits.wall_s, beat)
        code = process.wait()
    finally:
        _end(process)
    if code:
        raise _failure(command, code, heard.last_words)
    return bytes(heard.stdout)


class _Heard:
    """What a process wrote: all of stdout, or line by line, and the end of stderr."""

    def __init__(self, on_line: Callable[[str], None] | None) -> None:
        self.stdout, self._stderr, self._on_line = bytearray(), bytearray(), on_line

    def take(self, name: str, block: bytes) -> None:
        if name == "stderr":
            self._stderr = (self._stderr + block)[-STDERR_BYTES:]
            return
        self.stdout += block
        if self._on_line is not None:
            *lines, rest = self.stdout.split(b"\n")
            self.stdout = rest
            for line in lines:
                self._on_line(line.decode(errors="replace"))
        if len(self.stdout) > STDOUT_BYTES:
            raise ToolFailed("A tool wrote more than was asked of it.")

    @property
    def last_words(self) -> str:
        return self._stderr.decode(errors="replace").strip()


def _listen(process: subprocess.Popen[bytes], heard: _Heard, wall_s: float, beat: Callable[[], None]) -> None:
    """Until both pipes are closed; raises EncodeInterrupted when that takes too long."""
    end = time.monotonic() + wall_s
    next_beat = 0.0
    with selectors.DefaultSelector() as pipes:
        for name in ("stdout", "stderr"):
            pipes.register(getattr(process, name), selectors.EVENT_READ, name)
        while pipes.get_map():
            for key, _ in pipes.select(LOOK_S):
                pipe: IO[bytes] = key.fileobj  # type: ignore[assignment]  # the pipes registered above
                if block := os.read(pipe.fileno(), 65536):
                    heard.take(key.data, block)
                else:
                    pipes.unregister(pipe)
            now = time.monotonic()
            if now > end:
                raise EncodeInterrupted(f"A tool took longer than {wall_s:.0f} s.")
            if now >= next_beat:
                beat()
                next_beat = now + LOOK_S


def _end(process: subprocess.Popen[bytes]) -> None:
    """Nothing of this process is left: its whole group is killed, and it is waited for."""
    with suppress(ProcessLookupError, PermissionError):  # macOS says PermissionError of a group that has ended
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    _running.discard(process.pid)
    for pipe in (process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()


def _failure(command: Command, code: int, words: str) -> Exception:
    for secret in command.secrets:
        words = words.replace(secret, "***")
    words = f"{Path(command.argv[0]).name} ended with {code}: {words}"
    is_killed = (code < 0 and -code not in _CRASHES) or code == STOPPED_BY_SIGNAL
    has_no_room = shutil.disk_usage(command.folder).free < ROOM_BYTES
    if is_killed or has_no_room or any(reason in words for reason in _NOT_THE_FILES_FAULT):
        return EncodeInterrupted(words)
    return ToolFailed(words)


@atexit.register
def _end_all() -> None:
    for pid in tuple(_running):
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)
