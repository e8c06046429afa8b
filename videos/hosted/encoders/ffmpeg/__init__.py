"""Encoding by ffmpeg and shaka-packager on the machine of the worker."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from fractions import Fraction

from videos.hosted.encoders.ffmpeg import audio, package, pictures, repackage, source, video
from videos.hosted.encoders.ffmpeg.ladder import ladder
from videos.hosted.encoders.ffmpeg.probe import Bounds, probe
from videos.hosted.encoders.ffmpeg.running import ToolFailed
from videos.hosted.encoders.ffmpeg.tools import Tools, find
from videos.hosted.seams.encoder import DoneStep, EncodeInterrupted, StepOrder, StepOutcome, StepWork

PACKAGE, REPACKAGE = "package", "repackage"


@dataclass(frozen=True, kw_only=True)
class FfmpegEncoder:
    """Paths of the tools, where they are not on the PATH or in the wheel, and what is taken: seconds and bytes.

    Films longer than two `chunk_s` are encoded in stretches of about that length, by as many workers as there are.
    """

    ffmpeg: str = ""
    ffprobe: str = ""
    packager: str = ""
    chunk_s: float = 300
    min_duration_s: float = 0.5
    max_duration_s: float = 12 * 3600
    max_bytes: int = 200 * 1000**3

    def schemes(self) -> tuple[str, ...]:
        tools = self._tools()
        if not (tools.ffmpeg and tools.ffprobe):
            return ()
        return ("cbcs", "aes128", "open") if tools.packager else ("aes128", "open")

    def problems(self) -> Sequence[str]:
        return self._tools().problems()

    def first_steps(self, *, preset: str) -> Sequence[StepOrder]:
        return [StepOrder(kind="probe", weight=1)]

    def next_steps(self, done: Sequence[DoneStep], *, preset: str) -> Sequence[StepOrder]:
        kinds = {step.kind: step for step in done}
        if "video" not in kinds:
            return _encodings(kinds["probe"], chunk_s=self.chunk_s)
        if "pictures" not in kinds:
            return [StepOrder(kind="pictures", weight=2)]
        return [] if PACKAGE in kinds else [StepOrder(kind=PACKAGE, weight=4)]

    def repackage_steps(self) -> Sequence[StepOrder]:
        return [StepOrder(kind=REPACKAGE)]

    def packages(self, kind: str) -> bool:
        return kind in (PACKAGE, REPACKAGE)

    def run(self, work: StepWork) -> StepOutcome:
        """Do one step; raises EncodeFailed, EncodeInterrupted, FileMissing or StoreUnavailable.

        Leaves no process behind, whatever it raises, and no file in the clear in its folder.
        """
        tools = self._tools()
        if not (tools.ffmpeg and tools.ffprobe):
            raise EncodeInterrupted(" ".join(tools.problems()))
        do: dict[str, Callable[[], StepOutcome]] = {
            "probe": lambda: self._probe(work, tools),
            "video": lambda: video.encode(work, ffmpeg=tools.ffmpeg),
            "audio": lambda: audio.encode(work, tools=tools),
            "pictures": lambda: pictures.make(work, ffmpeg=tools.ffmpeg),
            PACKAGE: lambda: package.make(work, tools=tools),
            REPACKAGE: lambda: repackage.make(work, tools=tools),
        }
        work.folder.chmod(0o700)
        try:
            return do[work.step.kind]()
        except ToolFailed as error:
            raise EncodeInterrupted(str(error)) from error
        finally:
            _remove_what_is_clear(work)

    def _probe(self, work: StepWork, tools: Tools) -> StepOutcome:
        path = source.bring(work.store, work.source_key, work.folder, source.NAME)
        bounds = Bounds(min_s=self.min_duration_s, max_s=self.max_duration_s, max_bytes=self.max_bytes)
        info = probe(path, ffprobe=tools.ffprobe, bounds=bounds, beat=lambda: work.progress(0.5))
        rungs = ladder(info["width"], info["height"], Fraction(info["frame_rate"]), preset=work.preset)
        return StepOutcome(outcome={"info": info, "ladder": [rung.as_json() for rung in rungs]}, source_info=info)

    def _tools(self) -> Tools:
        return find(ffmpeg=self.ffmpeg, ffprobe=self.ffprobe, packager=self.packager)


def _encodings(probed: DoneStep, *, chunk_s: float) -> Sequence[StepOrder]:
    info = probed.outcome["info"]
    rate = Fraction(info["frame_rate"])
    cuts = video.stretches(max(1, round(info["duration_s"] * rate)), rate, chunk_s=chunk_s)
    share = 100 / sum(cut.expected for cut in cuts)
    steps = [
        StepOrder(kind="video", number=at, order=asdict(cut), weight=cut.expected * share)
        for at, cut in enumerate(cuts)
    ]
    return steps + ([StepOrder(kind="audio", weight=3)] if info["audio_stream"] is not None else [])


def _remove_what_is_clear(work: StepWork) -> None:
    """All files beside the package; a file that the store took is gone already."""
    for path in work.folder.iterdir():
        if path.is_symlink() or path.is_file():
            with suppress(FileNotFoundError):
                path.unlink()
