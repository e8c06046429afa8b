"""The private folders of this machine that steps are worked on in."""

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from videos.hosted.hosts import HostParts
from videos.hosted.models import Step, StepState

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


def left_folders(parts: HostParts) -> list[Path]:
    """Folders on this machine of steps that were ended, or taken by another worker since."""
    folders = [path for path in parts.work_path.glob("step-*") if _NAME.fullmatch(path.name)]
    running = Step.objects.filter(state=StepState.RUNNING).values_list("pk", "fence")
    names = {f"step-{pk}-{fence}" for pk, fence in running} if folders else set()
    return [path for path in folders if path.name not in names]


def clear(parts: HostParts) -> None:
    """Remove what workers that died have left on this machine."""
    for folder in left_folders(parts):
        shutil.rmtree(folder, ignore_errors=True)
