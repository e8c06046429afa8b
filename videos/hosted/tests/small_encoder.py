"""A real encoder of small texts, in three stages, that tests can stop, break and watch at every step."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from videos.hosted.seams.encoder import DoneStep, Packaged, StepOrder, StepOutcome, StepWork

BACKEND = "videos.hosted.tests.small_encoder.SmallEncoder"


@dataclass
class Behaviour:
    """`at` is called with the work when a step of that kind begins; an outcome it gives is the step's."""

    parts: int = 2
    schemes: tuple[str, ...] = ("cbcs", "aes128")
    at: dict[str, Callable[[StepWork], StepOutcome | None]] = field(default_factory=dict)
    seen: list[StepWork] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class SmallEncoder:
    behaviour: Behaviour

    def schemes(self) -> tuple[str, ...]:
        return self.behaviour.schemes

    def first_steps(self, *, preset: str) -> Sequence[StepOrder]:
        return [StepOrder(kind="probe", weight=0.1)]

    def next_steps(self, done: Sequence[DoneStep], *, preset: str) -> Sequence[StepOrder]:
        kinds = {step.kind for step in done}
        if "package" in kinds:
            return []
        if "encode" in kinds:
            return [StepOrder(kind="package", weight=0.1)]
        share = 0.8 / self.behaviour.parts
        return [StepOrder(kind="encode", number=n, weight=share) for n in range(self.behaviour.parts)]

    def repackage_steps(self) -> Sequence[StepOrder]:
        return [StepOrder(kind="repackage")]

    def packages(self, kind: str) -> bool:
        return kind in ("package", "repackage")

    def problems(self) -> Sequence[str]:
        return () if "cbcs" in self.behaviour.schemes else ("The packager is missing.",)

    def run(self, work: StepWork) -> StepOutcome:
        self.behaviour.seen.append(work)
        given = self.behaviour.at.get(work.step.kind, lambda _: None)(work)
        return given or {"probe": _probe, "encode": _encode, "package": _package, "repackage": _repackage}[
            work.step.kind
        ](work)


def _probe(work: StepWork) -> StepOutcome:
    size = work.store.size_of(work.source_key)
    return StepOutcome(outcome={"size": size}, source_info={"size": size})


def _encode(work: StepWork) -> StepOutcome:
    copy, key = work.folder / "part", f"{work.work_prefix}encode{work.step.number}/part"
    work.store.fetch(work.source_key, copy)
    work.progress(0.5)
    copy.write_text(f"{work.step.number}:{copy.read_text()}")
    work.store.put_file(key, copy)
    return StepOutcome(outcome={"key": key})


def _package(work: StepWork) -> StepOutcome:
    parts = []
    for step in work.done:
        if step.kind == "encode":
            work.store.fetch(step.outcome["key"], work.folder / "part")
            parts.append((work.folder / "part").read_text())
    return _packaged(work, "|".join(parts))


def _repackage(work: StepWork) -> StepOutcome:
    work.store.fetch(f"{work.former_prefix}v.txt", work.folder / "former")
    text = (work.folder / "former").read_text().split("#")[0]
    return _packaged(work, text)


def _packaged(work: StepWork, text: str) -> StepOutcome:
    """The text, and behind a `#` the key that it is "encrypted" with."""
    encryption = work.encryption
    assert encryption is not None
    (work.folder / "v.txt").write_text(f"{text}#{encryption.key.hex()}")
    (work.folder / "a.txt").write_text("sound")
    types: Mapping[str, str] = {"v.txt": "text/plain", "a.txt": "text/plain"}
    packaged = Packaged(
        folder=Path(work.folder),
        files=types,
        manifests={"master.m3u8": "#EXTM3U"},
        renditions=[{"name": "v", "height": 180, "width": 320, "bandwidth": 1000, "codecs": "avc1"}],
        pictures={},
        duration_s=4.0,
    )
    return StepOutcome(packaged=packaged)
