"""Processes that are killed, really and by SIGKILL, at a line of our code or from outside; and what must hold after."""

import os
import re
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from types import FrameType
from typing import Any

from django.db import connections
from django.utils import timezone

from videos.hosted import services
from videos.hosted.hosts import host
from videos.hosted.models import ContentKey, HostedVideo, Package, PackageState, Step, StepState, Transcode
from videos.hosted.services.clearing.sweeping import sweep
from videos.hosted.services.content_keys import keys
from videos.hosted.services.transcoding import steps
from videos.hosted.tests.tools import FFMPEG
from videos.models import AssetStatus
from videos.services.assets import refresh_asset

PSNR_MIN = 25.0
"""Decibels between an original and what is played of it; with a wrong key nothing can be decoded at all."""
_OURS = str(Path(services.__file__).parent)
_HOSTED = str(Path(services.__file__).parent.parent)


def fork(work: Callable[[], object]) -> int:
    """Run `work` in a process of its own; gives its id. Not to be called inside a transaction."""
    connections.close_all()
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        work()
        code = 0
    except SystemExit:
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def was_killed(pid: int) -> bool:
    """Wait for the process; gives whether SIGKILL ended it. Raises when it failed by itself."""
    _, status = os.waitpid(pid, 0)
    if os.WIFSIGNALED(status):
        return os.WTERMSIG(status) == signal.SIGKILL
    assert os.WEXITSTATUS(status) == 0, "The process failed by itself; its traceback is above."
    return False


def dying_at(line: int, work: Callable[[], object]) -> Callable[[], None]:
    """`work`, whose process is killed before the `line`th line of `videos.hosted.services` that it runs."""

    def run() -> None:
        left = line

        def trace(frame: FrameType, event: str, argument: Any) -> Any:
            nonlocal left
            if not frame.f_code.co_filename.startswith(_OURS):
                return None
            if event == "line":
                left -= 1
                if left < 0:
                    os.kill(os.getpid(), signal.SIGKILL)
            return trace

        sys.settrace(trace)
        work()

    return run


def dying_in(name: str, is_time: Callable[[], bool], work: Callable[[], object]) -> Callable[[], None]:
    """`work`, whose process is killed as it enters the function of ours called `name` when `is_time()`."""

    def trace(frame: FrameType, event: str, argument: Any) -> None:
        if frame.f_code.co_name == name and frame.f_code.co_filename.startswith(_HOSTED) and is_time():
            os.kill(os.getpid(), signal.SIGKILL)

    def run() -> None:
        sys.settrace(trace)
        work()

    return run


def lines_of(work: Callable[[], object]) -> int:
    """How many lines of `videos.hosted.services` it runs."""
    count = 0

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal count
        if not frame.f_code.co_filename.startswith(_OURS):
            return None
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return count


def go_on(alias: str = "hosted") -> None:
    """What other workers do later, when all leases and waits are over: they sweep and run until nothing is left."""
    for _ in range(20):
        past = timezone.now() - timedelta(days=2)
        Step.objects.filter(state=StepState.RUNNING).update(lease_until=past)
        Step.objects.filter(state=StepState.DUE).update(due_at=past)
        for transcode_id in Step.objects.to_take(timezone.now()).values_list("transcode_id", flat=True):
            steps.run_steps(transcode_id)
        Transcode.objects.exclude(finished_at=None).update(finished_at=past)
        HostedVideo.objects.exclude(deleted_at=None).update(deleted_at=past)
        Package.objects.exclude(empty_at=None).update(empty_at=past)
        ContentKey.objects.update(created_at=past)
        if not sweep(is_thorough=True) - 1 and not Step.objects.to_take(timezone.now()).exists():
            break
    for video in HostedVideo.objects.filter(alias=alias, deleted_at=None):
        if asset := video.get_asset():
            refresh_asset(asset.pk)


def require_nothing_left(alias: str = "hosted") -> None:
    """Every copy plays or failed with a reason; no file, folder, row or key is there that nobody needs."""
    parts = host(alias)
    store = parts.get_store()
    assert not Step.objects.filter(state__in=[StepState.DUE, StepState.RUNNING]).exists()
    for job in Transcode.objects.all():
        assert job.state in ("completed", "failed"), job
        assert bool(job.failure_code) == (job.state == "failed"), job
        assert job.cleaned_at is not None
    needed: list[str] = []
    for video in HostedVideo.objects.filter(alias=alias):
        package, asset = video.package, video.get_asset()
        assert asset is None or asset.status == _status(video), (asset, asset.status)
        needed += [package.prefix] if package else []
        needed += [video.source_key] if video.source_key else []
    keys = list(store.keys(""))
    assert [key for key in keys if not key.startswith(tuple(needed))] == []
    assert [prefix for prefix in needed if not any(key.startswith(prefix) for key in keys)] == []
    playing = HostedVideo.objects.exclude(package=None).values_list("package", flat=True)
    assert set(Package.objects.exclude(state=PackageState.EMPTIED).values_list("pk", flat=True)) == set(playing)
    used = Package.objects.filter(pk__in=playing).exclude(key=None).values_list("key", flat=True)
    assert set(ContentKey.objects.exclude(wrapped="").values_list("pk", flat=True)) == set(used)
    assert not parts.work_path.exists() or list(parts.work_path.iterdir()) == []


def processes_in(folder: Path) -> list[str]:
    """The command lines of all processes that work in this folder, or name it."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            said, at = path.read_text(), path.parent.joinpath("cwd").readlink()
            if str(folder) in said or at.is_relative_to(folder):
                found.append(said.replace("\0", " "))
    return found


def require_frames(video: HostedVideo, original: Path, *, count: int) -> None:
    """What is played of a video is its original, decrypted: so many frames, each nearly the same."""
    assert video.package is not None
    key = keys.encryption_of(video.package).key
    pictures = [rendition for rendition in video.package.renditions if "height" in rendition]
    assert pictures
    for rendition in pictures:
        path = host(video.alias).get_store().local_path(f"{video.package.prefix}{rendition['name']}.mp4")
        size = f"{rendition['width']}:{rendition['height']}"
        command = [FFMPEG, "-v", "info", "-decryption_key", key.hex(), "-i", path, "-i", original]
        command += ["-lavfi", f"[1:v]scale={size}[o];[0:v][o]psnr", "-f", "null", "-"]
        told = subprocess.run(command, capture_output=True, text=True, check=True).stderr
        decibels = re.search(r"average:(inf|[0-9.]+)", told)
        assert decibels is not None, told
        assert float(decibels[1]) > PSNR_MIN, told
        assert int(re.findall(r"frame= *([0-9]+)", told)[-1]) == count, told


def _status(video: HostedVideo) -> str:
    if video.package is not None:
        return AssetStatus.READY
    latest = video.transcodes.first()
    return AssetStatus.FAILED if latest and latest.state == "failed" else AssetStatus.WAITING
