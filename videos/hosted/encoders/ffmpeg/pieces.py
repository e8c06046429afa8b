"""What steps hand on to later ones: files in the store, below the step's own part of the working prefix."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from videos.hosted.encoders.ffmpeg import source
from videos.hosted.seams.encoder import DoneStep, StepWork


def prefix(work: StepWork, kind: str, number: int) -> str:
    return f"{work.work_prefix}{kind}{number}/"


def hand_on(work: StepWork, path: Path, *, content_type: str = "video/mp4") -> None:
    """Keep a file for the steps after this one."""
    work.store.put_file(prefix(work, work.step.kind, work.step.number) + path.name, path, content_type=content_type)


def fetch(work: StepWork, done: DoneStep, name: str, *, as_name: str) -> Path:
    """A file that an earlier step handed on, as `as_name` in the private folder; raises FileMissing."""
    return source.bring(work.store, prefix(work, done.kind, done.number) + name, work.folder, as_name)


def of_kind(work: StepWork, kind: str) -> list[DoneStep]:
    return sorted((done for done in work.done if done.kind == kind), key=lambda done: done.number)


def plan_of(work: StepWork) -> Mapping[str, Any]:
    """What the probe decided."""
    return of_kind(work, "probe")[0].outcome
