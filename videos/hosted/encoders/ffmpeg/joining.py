"""The pieces of a rendition as one file, every frame where one encoding of the whole film would have put it."""

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

from videos.hosted.encoders.ffmpeg import pieces, running, source
from videos.hosted.seams.encoder import DoneStep, StepWork

JOIN_LIMITS = running.Limits(wall_s=6 * 3600, cpu_s=3600, file_bytes=256 * running.GIB)


def filled(work: StepWork) -> list[DoneStep]:
    """The stretches of the film that have frames, in their order."""
    return [done for done in pieces.of_kind(work, "video") if done.outcome["frames"]]


def frames_of(work: StepWork) -> int:
    return sum(done.outcome["frames"] for done in filled(work))


def listed(work: StepWork, name: str, rate: Fraction) -> str:
    """Bring all pieces of a rendition; gives the name of a file that lists them, as ffmpeg's concat reads it."""
    lines = ["ffconcat version 1.0"]
    for done in filled(work):
        piece = pieces.fetch(work, done, f"{name}.mp4", as_name=f"{name}.{done.number}.mp4")
        lines += [f"file {piece.name}", f"duration {float(done.outcome['frames'] / rate):.6f}"]
    (work.folder / f"{name}.txt").write_text("\n".join(lines) + "\n")
    return f"{name}.txt"


def joined(work: StepWork, name: str, rate: Fraction, *, ffmpeg: str, beat: Callable[[], None]) -> str:
    """One file of a rendition in the private folder; gives its name."""
    stretches, whole = filled(work), f"{name}.mp4"
    if len(stretches) == 1:
        pieces.fetch(work, stretches[0], whole, as_name=whole)
        return whole
    copy(work.folder, ["-f", "concat", "-i", listed(work, name, rate)], whole, ffmpeg=ffmpeg, beat=beat)
    for piece in work.folder.glob(f"{name}.*.mp4"):
        piece.unlink()
    return whole


def copy(folder: Path, inputs: Sequence[str], to: str, *, ffmpeg: str, beat: Callable[[], None]) -> None:
    """Copy streams into one MP4 file, as they are; raises ToolFailed or EncodeInterrupted."""
    argv = [ffmpeg, *source.QUIET, "-protocol_whitelist", "file,pipe", *inputs, "-c", "copy", "-f", "mp4", to]
    running.run(running.Command(argv=argv, folder=folder, limits=JOIN_LIMITS), beat=beat)
