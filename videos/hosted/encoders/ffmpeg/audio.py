"""The sound in one piece, beginning with the picture's first frame."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from videos.hosted.encoders.ffmpeg import pieces, running, source, video
from videos.hosted.encoders.ffmpeg.probe import PROBE_LIMITS
from videos.hosted.encoders.ffmpeg.progress import ARGUMENTS, Progress
from videos.hosted.encoders.ffmpeg.tools import Tools
from videos.hosted.seams.encoder import EncodeFailed, StepOutcome, StepWork
from videos.providers import failures

FILE = "a.mp4"
RATE_HZ = 48_000
KBITS = 128


def encode(work: StepWork, *, tools: Tools) -> StepOutcome:
    """Do the `audio` step; raises EncodeFailed, EncodeInterrupted or FileMissing."""
    info = pieces.plan_of(work)["info"]
    source.bring(work.store, work.source_key, work.folder, source.NAME)
    progress = Progress(work.progress, name="out_time_us", wanted=info["duration_s"] * 1_000_000)
    command = running.Command(
        argv=[tools.ffmpeg, *arguments(info)], folder=work.folder, limits=video.limits_for(info["duration_s"])
    )
    try:
        running.run(command, on_line=progress.line, beat=progress.beat)
    except running.ToolFailed as error:
        raise EncodeFailed(failures.UNREADABLE, str(error)) from error
    has_audio = _has_samples(work.folder, tools.ffprobe)
    if has_audio:
        pieces.hand_on(work, work.folder / FILE, content_type="audio/mp4")
    return StepOutcome(outcome={"has_audio": has_audio})


def _has_samples(folder: Path, ffprobe: str) -> bool:
    """Whether there is sound: some films only say so."""
    asked = [ffprobe, "-v", "error", "-show_entries", "stream=nb_frames", "-of", "csv=p=0", FILE]
    said = running.run(running.Command(argv=asked, folder=folder, limits=PROBE_LIMITS)).strip()
    return said.isdigit() and int(said) > 0


def arguments(info: Mapping[str, Any]) -> list[str]:
    """ffmpeg's arguments that make `a.mp4`: stereo, gaps filled with silence, no longer than the picture."""
    chain = (
        f"[0:{info['audio_stream']}]asetpts=round(PTS-({info['start_s']:.6f})/TB)",
        f"aresample={RATE_HZ}:async=1:first_pts=0",
        "aformat=channel_layouts=stereo",
        f"atrim=end={info['duration_s']:.6f}[a]",
    )
    return [
        *(*source.QUIET, *ARGUMENTS, *source.SAFE_INPUT, "-copyts", "-i", source.NAME),
        *("-filter_complex", ",".join(chain), "-map", "[a]", *source.PLAIN, "-vn"),
        *("-c:a", "aac", "-b:a", f"{KBITS}k", "-f", "mp4", FILE),
    ]
