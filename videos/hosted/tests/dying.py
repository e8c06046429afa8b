"""Processes that are killed, really and by SIGKILL, at a line of our code or from outside; and what must hold after."""

import os
import signal
import sys
import traceback
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from types import FrameType
from typing import Any

from django.db import connections
from django.utils import timezone

from videos.hosted import services
from videos.hosted.hosts import host
from videos.hosted.models import ContentKey, HostedVideo, Package, PackageState, Step, StepState, Transcode
from videos.hosted.services import steps
from videos.hosted.services.sweeping import sweep
from videos.models import AssetStatus
from videos.services.assets import refresh_asset

_OURS = str(Path(services.__file__).parent)


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


def _status(video: HostedVideo) -> str:
    if video.package is not None:
        return AssetStatus.READY
    latest = video.transcodes.first()
    return AssetStatus.FAILED if latest and latest.state == "failed" else AssetStatus.WAITING
