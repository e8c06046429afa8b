"""Workers and uploads as processes that are killed and stopped at random, each in the middle of something chosen."""

import os
import signal
import sys
import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random

from django.db import connections
from django.utils import timezone

from videos import in_process
from videos.hosted.hosts import host
from videos.hosted.models import HostedVideo, Package, PackageState, Step, StepState, Transcode, TranscodeKind, Upload
from videos.hosted.services.clearing import removal
from videos.hosted.services.clearing.sweeping import sweep
from videos.hosted.services.transcoding import steps, transcodes
from videos.hosted.services.uploading import tus
from videos.hosted.tests.clips import clip
from videos.hosted.tests.dying import (
    dying_at,
    fork,
    go_on,
    lines_of,
    processes_in,
    require_frames,
    require_nothing_left,
    was_killed,
)
from videos.hosted.tests.jobs import make_arrived_video
from videos.services.errors import VideosError
from videos.tests.factories import make_user

UPLOADING = "uploading"
PHASES = (UPLOADING, "probe", "video", "audio", "pictures", "package", "putting files", "anything")
SECONDS, FRAMES = 3, 90
IN_WORK = 4
WORKERS = 2
PHASE_S = 4.0
DONE_WITHIN_S = 600


def enqueue(name: str, *args: int | str) -> None:
    """A VIDEO_ENQUEUE that loses every call for a worker: what is due is found by looking."""
    if name != "videos.hosted.run_steps":
        in_process.enqueue(name, *args)


@dataclass
class _Child:
    pid: int
    kind: str
    wakes_at: float = 0.0


class Killing:
    """Videos are uploaded, prepared, prepared again, packaged again and deleted until so many kills are done."""

    def __init__(self, folder: Path, random: Random, *, kills: int, lease_s: float) -> None:
        self._random, self._kills, self._lease_s = random, kills, lease_s
        self._work_dir = folder / "work"
        self._children: list[_Child] = []
        self._owner = make_user()
        self._original = clip(seconds=SECONDS, width=320, height=180)
        self.killed: Counter[str] = Counter()
        self.did: Counter[str] = Counter()

    def run(self) -> None:
        """Kill, let all work end, and check; raises AssertionError when something was lost or is left over."""
        try:
            while self.killed.total() < self._kills:
                self._tend()
                self._strike(self._random.choice(PHASES))
            self._end()
        finally:
            for child in self._children:
                with suppress(ProcessLookupError):
                    os.kill(child.pid, signal.SIGKILL)
        go_on()
        require_nothing_left()
        assert processes_in(self._work_dir) == []
        for video in HostedVideo.objects.exclude(package=None):
            require_frames(video, self._original, count=FRAMES)
            self.did["videos that play, every frame right"] += 1

    def delete_all(self) -> None:
        """Delete every video; raises AssertionError when anything of one is left."""
        for video in HostedVideo.objects.filter(deleted_at=None):
            removal.delete(alias=video.alias, host_id=video.host_id)
            video.get_asset().video.assets.all().delete()
        go_on()
        require_nothing_left()
        assert list(host("hosted").get_store().keys("")) == []

    def table(self) -> str:
        jobs = Counter(Transcode.objects.values_list("kind", "state"))
        codes = Counter(Transcode.objects.filter(state="failed").values_list("failure_code", flat=True))
        lines = ["| killed while | times |", "|---|---|"]
        lines += [f"| {what} | {count} |" for what, count in sorted(self.killed.items())]
        lines += ["", "| what | count |", "|---|---|"]
        lines += [f"| {what} | {count} |" for what, count in sorted(self.did.items())]
        lines += [f"| {kind} jobs {state} | {count} |" for (kind, state), count in sorted(jobs.items())]
        lines += [f"| jobs failed with {code} | {count} |" for code, count in sorted(codes.items())]
        taken = sum(Step.objects.values_list("fence", flat=True))
        lines += [f"| steps | {Step.objects.count()} |", f"| steps taken | {taken} |"]
        lines += [f"| packages begun | {Package.objects.count()} |"]
        return "\n".join(lines)

    def _tend(self, *, begins: bool = True) -> None:
        """Bury the dead, wake the stopped, and see that there are workers and work."""
        now = time.monotonic()
        for child in self._children[:]:
            if child.wakes_at and now > child.wakes_at:
                os.kill(child.pid, signal.SIGCONT)
                child.wakes_at = 0.0
            if os.waitpid(child.pid, os.WNOHANG)[0]:
                self._children.remove(child)
        for _ in range(WORKERS - sum(child.kind == "worker" for child in self._children)):
            self._children.append(_Child(fork(_work), "worker"))
        running = Transcode.objects.filter(state__in=transcodes.RUNNING).count() + self._uploads()
        if begins and running < IN_WORK:
            self._begin_something()
        for upload in Upload.objects.filter(state="open"):
            if not any(child.kind == f"upload {upload.pk}" for child in self._children):
                pid = fork(lambda pk=upload.pk: _upload(pk, self._original))
                self._children.append(_Child(pid, f"upload {upload.pk}"))

    def _uploads(self) -> int:
        return Upload.objects.filter(state="open").count()

    def _begin_something(self) -> None:
        ready = HostedVideo.objects.exclude(package=None).order_by("?").first()
        what = self._random.choice(("upload", "upload", "encode", "repackage", "delete"))
        if ready is None or what == "upload":
            size = self._original.stat().st_size
            tus.create(
                owner=self._owner,
                alias="hosted",
                length=size,
                title="A film",
                filename="a.mp4",
                content_type="video/mp4",
                metadata="",
            )
            what = "upload"
        elif what == "delete":
            removal.delete(alias="hosted", host_id=ready.host_id)
            ready.get_asset().video.assets.all().delete()
        else:
            with suppress(VideosError):
                transcodes.start(video=ready, kind=TranscodeKind(what))
        self.did[f"begun: {what}"] += 1

    def _strike(self, phase: str) -> None:
        """Wait until something is in this phase, and kill who is at it: one worker, all at once, or stop one."""
        deadline = time.monotonic() + PHASE_S
        while not _is_in(phase):
            if time.monotonic() > deadline:
                return
            time.sleep(0.005)
        time.sleep(self._random.random() * 0.3)
        kind = "upload" if phase == UPLOADING else "worker"
        awake = [child for child in self._children if child.kind.startswith(kind) and not child.wakes_at]
        if not awake:
            return
        if kind == "worker" and self._random.random() < 0.2:
            chosen = self._random.choice(awake)
            os.kill(chosen.pid, signal.SIGSTOP)
            chosen.wakes_at = time.monotonic() + self._lease_s * (1 + self._random.random())
            self.did["stopped past the lease, and woken"] += 1
            return
        for child in awake if self._random.random() < 0.5 else [self._random.choice(awake)]:
            with suppress(ProcessLookupError):
                os.kill(child.pid, signal.SIGKILL)
                self.killed[phase] += 1
        print(f"\r{self.killed.total()} of {self._kills} ", end="", file=sys.stderr, flush=True)

    def _end(self) -> None:
        deadline = time.monotonic() + DONE_WITHIN_S
        while self._uploads() or Transcode.objects.filter(state__in=transcodes.RUNNING).exists():
            assert time.monotonic() < deadline, list(Step.objects.exclude(state="done").values())
            self._tend(begins=False)
            time.sleep(0.1)
        for child in self._children:
            os.kill(child.pid, signal.SIGCONT)
            os.kill(child.pid, signal.SIGTERM)
            os.waitpid(child.pid, 0)
        self._children.clear()


def kill_at_lines(folder: Path, *, every: int) -> int:
    """Kill a worker before every so many of the lines that it runs for one job; gives how many kills there were."""
    copy, _ = make_arrived_video(folder)
    first = transcodes.start(video=copy)
    count = lines_of(lambda: steps.run_steps(first.pk))
    killed = 0
    for line in range(0, count, every):
        job = transcodes.start(video=copy)
        killed += was_killed(fork(dying_at(line, lambda pk=job.pk: steps.run_steps(pk))))
        go_on()
        job.refresh_from_db()
        copy.refresh_from_db()
        assert (job.state, copy.package.transcode_id) == ("completed", job.pk), line
        require_nothing_left()
        print(f"\rline {line} of {count} ", end="", file=sys.stderr, flush=True)
    return killed


def _work() -> None:
    """A worker: whatever is due, and the sweep, until it is told to end."""
    is_told = threading.Event()
    # An exit that is raised where SQLite calls us back would be swallowed there.
    signal.signal(signal.SIGTERM, lambda *_: is_told.set())
    while not is_told.is_set():
        due = Step.objects.to_take(timezone.now()).filter(transcode__state__in=transcodes.RUNNING)
        for transcode_id in due.values_list("transcode_id", flat=True)[:1]:
            steps.run_steps(transcode_id)
        sweep(is_thorough=True)
        time.sleep(0.1)


class _Slow:
    """A file that comes over a slow line."""

    def __init__(self, path: Path, offset: int) -> None:
        self._file = path.open("rb")
        self._file.seek(offset)

    def read(self, size: int) -> bytes:
        time.sleep(0.05)
        return self._file.read(min(size, 16_384))


def _upload(upload_id: int, original: Path) -> None:
    upload = Upload.objects.select_related("video").get(pk=upload_id)
    size = upload.length - upload.offset
    chunk = min(size, 65_536)
    while upload.state == "open":
        stream = _Slow(original, upload.offset)
        limited = tus.Chunk(offset=upload.offset, stream=_Limited(stream, chunk), size=chunk)
        with suppress(tus.OffsetConflict):
            upload = tus.append(upload, limited)
        upload.refresh_from_db()
        chunk = min(upload.length - upload.offset, 65_536)


class _Limited:
    def __init__(self, stream: _Slow, size: int) -> None:
        self._stream, self._left = stream, size

    def read(self, size: int) -> bytes:
        block = self._stream.read(min(size, self._left)) if self._left else b""
        self._left -= len(block)
        return block


def _is_in(phase: str) -> bool:
    connections.close_all()
    if phase == "anything":
        return True
    if phase == UPLOADING:
        return Upload.objects.filter(state="open").exists()
    if phase == "putting files":
        store = host("hosted").get_store()
        building = Package.objects.filter(state=PackageState.BUILDING).select_related("video")
        return any(next(iter(store.keys(package.prefix)), None) for package in building)
    return Step.objects.filter(state=StepState.RUNNING, kind__contains=phase).exists()
