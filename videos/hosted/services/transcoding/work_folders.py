"""The private folders of this machine that steps are worked on in."""

import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from videos.hosted.hosts import HostParts
from videos.hosted.models import Step, StepState

RECEIVED_MAX_S = 6 * 3600
_RECEIVED = "received-"
_NAME = re.compile(r"step-(\d+)-(\d+)")


@contextmanager
def work_folder(parts: HostParts, step: Step) -> Iterator[Path]:
    """An empty folder that only this user may read, named after the step and its taking; removed afterwards."""
    folder = parts.work_path / f"step-{step.pk}-{step.fence}"
    parts.work_path.mkdir(parents=True, exist_ok=True)
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def received_folder(parts: HostParts) -> Iterator[Path]:
    """A private folder for a file that came through this process; removed afterwards."""
    parts.work_path.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=parts.work_path, prefix=_RECEIVED) as folder:
        yield Path(folder)


def left_folders(parts: HostParts) -> list[Path]:
    """Folders on this machine of steps that were ended, or taken by another worker since, and of dead processes."""
    folders = [path for path in parts.work_path.glob("step-*") if _NAME.fullmatch(path.name)]
    running = Step.objects.filter(state=StepState.RUNNING).values_list("pk", "fence")
    names = {f"step-{pk}-{fence}" for pk, fence in running} if folders else set()
    received = [path for path in parts.work_path.glob(f"{_RECEIVED}*") if _age_s(path) > RECEIVED_MAX_S]
    return [path for path in folders if path.name not in names] + received


def clear(parts: HostParts) -> None:
    """Remove what workers that died have left on this machine."""
    for folder in left_folders(parts):
        shutil.rmtree(folder, ignore_errors=True)


def _age_s(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except FileNotFoundError:
        return 0.0
