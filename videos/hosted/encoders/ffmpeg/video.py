"""All pictures of the ladder out of one decoding: the whole film, or one stretch of it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from videos.hosted.encoders.ffmpeg import pieces, running, source
from videos.hosted.encoders.ffmpeg.ladder import Rendition, gop_frames, quality_of
from videos.hosted.encoders.ffmpeg.progress import ARGUMENTS, Progress
from videos.hosted.seams.encoder import EncodeFailed, StepOutcome, StepWork
from videos.providers import failures

SEEK_S = 5.0
"""Decoding begins so much before a stretch, at the key frame before that."""
BITS_PER_S_MAX = 32_000_000
WALL_S_PER_S = 60
"""A step may take so many seconds for each second of film; an hour in any case."""


@dataclass(frozen=True, kw_only=True)
class Stretch:
    """Frames of the film as it will be: from `first` on, `count` of them, or to its end. `expected` of them in all."""

    first: int
    count: int | None
    expected: int


def stretches(frames: int, rate: Fraction, *, chunk_s: float) -> Sequence[Stretch]:
    """A film of about so many frames, cut at key frames; films shorter than two chunks stay in one piece."""
    gop = gop_frames(rate)
    chunk = max(1, round(chunk_s * rate / gop)) * gop
    number = max(1, round(frames / chunk)) if frames > 2 * chunk else 1
    return [
        Stretch(first=at * chunk, count=chunk, expected=chunk)
        if at < number - 1
        else Stretch(first=at * chunk, count=None, expected=max(1, frames - at * chunk))
        for at in range(number)
    ]


def limits_for(seconds: float) -> running.Limits:
    """What an encoding of so many seconds of film may take."""
    wall_s = 3600 + seconds * WALL_S_PER_S
    return running.Limits(
        wall_s=wall_s, cpu_s=round(wall_s * 64), file_bytes=running.GIB + round(seconds * BITS_PER_S_MAX / 8)
    )


def encode(work: StepWork, *, ffmpeg: str) -> StepOutcome:
    """Do a `video` step; raises EncodeFailed, EncodeInterrupted or FileMissing."""
    plan = pieces.plan_of(work)
    info, stretch = plan["info"], Stretch(**work.step.order)
    renditions = [Rendition(**row) for row in plan["ladder"]]
    source.bring(work.store, work.source_key, work.folder, source.NAME)
    progress = Progress(work.progress, name="frame", wanted=stretch.expected)
    command = running.Command(
        argv=[ffmpeg, *arguments(info, renditions, stretch, preset=work.preset)],
        folder=work.folder,
        limits=limits_for(float(stretch.expected / Fraction(info["frame_rate"]))),
    )
    try:
        running.run(command, on_line=progress.line, beat=progress.beat)
    except running.ToolFailed as error:
        raise EncodeFailed(failures.UNREADABLE, str(error)) from error
    _check_count(progress.value, stretch)
    if progress.value:
        for rendition in renditions:
            pieces.hand_on(work, work.folder / f"{rendition.name}.mp4")
    return StepOutcome(outcome={"frames": progress.value})


def _check_count(frames: int, stretch: Stretch) -> None:
    """Pieces fit together only if each has all its frames; the last one ends where the film does."""
    if frames != stretch.count if stretch.count is not None else frames == 0 and stretch.first == 0:
        raise EncodeFailed(failures.UNREADABLE, f"{frames} frames instead of {stretch.expected} could be read.")


def arguments(info: Mapping[str, Any], renditions: Sequence[Rendition], stretch: Stretch, *, preset: str) -> list[str]:
    """ffmpeg's arguments that make one file of each rendition, `<name>.mp4`."""
    return [
        *source.QUIET,
        *ARGUMENTS,
        *_seek(info, stretch),
        *source.SAFE_INPUT,
        *("-copyts", "-i", source.NAME, "-filter_complex", ";".join(_filters(info, renditions, stretch))),
        *(word for rendition in renditions for word in _output(rendition, Fraction(info["frame_rate"]), preset)),
    ]


def _seek(info: Mapping[str, Any], stretch: Stretch) -> Iterator[str]:
    at_s = float(stretch.first / Fraction(info["frame_rate"])) - SEEK_S
    if stretch.first and at_s > 0:
        # Whole, from the key frame on: the frame that is shown at the stretch's beginning may have begun long before.
        yield from ("-noaccurate_seek", "-seek_timestamp", "1", "-ss", f"{info['start_s'] + at_s:.6f}")


def _filters(info: Mapping[str, Any], renditions: Sequence[Rendition], stretch: Stretch) -> Iterator[str]:
    end = f":end_pts={stretch.first + stretch.count}" if stretch.count is not None else ""
    start = "" if stretch.first else ":start_time=0"
    chain = [
        f"[0:{info['video_stream']}]setpts=round(PTS-({info['start_s']:.6f})/TB)",
        *(["yadif=deint=interlaced"] if info["is_interlaced"] else []),
        f"fps=fps={info['frame_rate']}{start}",
        f"trim=start_pts={stretch.first}{end}",
        f"setpts=PTS-{stretch.first}",
        f"split={len(renditions)}" + "".join(f"[in{at}]" for at in range(len(renditions))),
    ]
    yield ",".join(chain)
    for at, rendition in enumerate(renditions):
        yield f"[in{at}]scale={rendition.width}:{rendition.height},setsar=1,format=yuv420p[{rendition.name}]"


def _output(rendition: Rendition, rate: Fraction, preset: str) -> Sequence[str]:
    quality, gop = quality_of(preset), str(gop_frames(rate))
    return [
        *("-map", f"[{rendition.name}]", *source.PLAIN, "-an", "-fps_mode", "passthrough"),
        *("-c:v", "libx264", "-preset", quality.preset, "-profile:v", "high", "-crf", str(quality.crf)),
        *("-maxrate", f"{rendition.kbits}k", "-bufsize", f"{rendition.kbits * 2}k"),
        *("-g", gop, "-keyint_min", gop, "-sc_threshold", "0", "-flags", "+cgop", "-f", "mp4", f"{rendition.name}.mp4"),
    ]
