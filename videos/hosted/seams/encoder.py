"""Who makes a package out of an original: ffmpeg and a packager on this machine, or a transcoding service.

The work is cut into steps, each done by one worker in one go and safe to do again. Steps of one stage run side by side;
the next stage begins when all of them are done.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

from videos.hosted.seams.store import Store


class EncodeFailed(Exception):
    """The work can never be done; `code` is one of `videos.providers.failures`, the message is for operators."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


class EncodeInterrupted(Exception):
    """The work was not done this time (a full disk, a tool that was killed, a service that is down): again later."""


@dataclass(frozen=True, kw_only=True)
class StepOrder:
    """One step to be done: `kind` is the encoder's own word, `order` plain JSON, `weight` its share of the work."""

    kind: str
    number: int = 0
    order: Mapping[str, Any] = field(default_factory=dict)
    weight: float = 1.0


@dataclass(frozen=True, kw_only=True)
class DoneStep:
    """A step that was done, and what came of it, plain JSON."""

    kind: str
    number: int
    order: Mapping[str, Any]
    outcome: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Encryption:
    """How a package is to be encrypted: `scheme` is `cbcs`, `aes128` or `open`; `key` and `iv` have 16 bytes."""

    scheme: str
    kid: UUID | None = None
    key: bytes = field(default=b"", repr=False)
    iv: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, kw_only=True)
class Packaged:
    """A finished package in `folder`. `files` are names in it, with their content types; `manifests` are texts by name.

    `renditions`: `[{"name": "v720", "height", "width", "bandwidth" (bits/s), "codecs", "frame_rate"}]`, and the audio
    as `{"name": "a", "bandwidth", "codecs"}`. `pictures`: `{"poster": "poster.jpg", "sprite": "sprite.jpg",
    "interval_s", "columns", "rows", "width", "height", "count"}`, pixels of one tile; empty without a picture.
    """

    folder: Path
    files: Mapping[str, str]
    manifests: Mapping[str, str]
    renditions: Sequence[Mapping[str, Any]]
    pictures: Mapping[str, Any]
    duration_s: float


@dataclass(frozen=True, kw_only=True)
class StepOutcome:
    """What a step gives: `outcome` for later steps; or, with `again_in_s`, nothing yet (a service is still at it).

    `source_info` is what was learnt of the original. `packaged` is the package itself, from the last step.
    """

    outcome: Mapping[str, Any] = field(default_factory=dict)
    again_in_s: float | None = None
    source_info: Mapping[str, Any] | None = None
    packaged: Packaged | None = None


@dataclass(frozen=True, kw_only=True)
class StepWork:
    """What a worker is given. `done` are all steps of earlier stages.

    `folder` is a private, empty folder of this machine, removed afterwards. `work_prefix` is where intermediate files
    go in the store, seen by all steps; a step writes only below `work_prefix` + `<kind><number>/`. `progress` (0 to 1)
    is called often, and raises when the step was taken away from this worker: it is let through. `encryption` is set
    for the step that packages (`packages` below). For a repackaging, `former` is the package to start from, `formerly`
    its encryption.
    """

    step: StepOrder
    done: Sequence[DoneStep]
    store: Store
    source_key: str
    source_info: Mapping[str, Any]
    work_prefix: str
    folder: Path = field(repr=False)
    preset: str
    encryption: Encryption | None
    progress: Callable[[float], None]
    former_prefix: str = ""
    former_manifests: Mapping[str, str] = field(default_factory=dict)
    former_renditions: Sequence[Mapping[str, Any]] = ()
    former_pictures: Mapping[str, Any] = field(default_factory=dict)
    formerly: Encryption | None = None


class Encoder(Protocol):
    def schemes(self) -> tuple[str, ...]:
        """The encryption schemes that can be made here and now, best first; empty when the tools are missing."""

    def first_steps(self, *, preset: str) -> Sequence[StepOrder]:
        """The first stage of making a package out of an original."""

    def next_steps(self, done: Sequence[DoneStep], *, preset: str) -> Sequence[StepOrder]:
        """The stage after those that are done; empty when there is none. Decided by `done` alone; waits for nobody."""

    def repackage_steps(self) -> Sequence[StepOrder]:
        """The one stage of packaging an existing package again."""

    def packages(self, kind: str) -> bool:
        """Whether steps of this kind give the package, and so need the content key."""

    def run(self, work: StepWork) -> StepOutcome:
        """Do one step; raises EncodeFailed or EncodeInterrupted. Leaves no process behind, whatever it raises."""

    def problems(self) -> Sequence[str]:
        """What is missing on this machine, one sentence each, saying what to install. For checks."""
