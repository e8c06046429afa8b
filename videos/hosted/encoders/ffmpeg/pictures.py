"""A poster and a sheet of small pictures for the timeline, out of the key frames of what was encoded."""

import math
import re
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from videos.hosted.encoders.ffmpeg import joining, pieces, running, source
from videos.hosted.encoders.ffmpeg.ladder import Rendition, gop_frames
from videos.hosted.encoders.ffmpeg.progress import ARGUMENTS, Progress
from videos.hosted.seams.encoder import StepOutcome, StepWork

POSTER, SPRITE = "poster.jpg", "sprite.jpg"
POSTER_WIDTH_MAX = 1280
POSTER_AT = 0.1
TILE_WIDTH = 160
COLUMNS = 10
TILES_MAX = 100
DARK, BRIGHT = 32.0, 225.0
LIMITS = running.Limits(wall_s=3600, cpu_s=7200)
_LUMA = re.compile(r"signalstats\.YAVG=([0-9.]+)")


def make(work: StepWork, *, ffmpeg: str) -> StepOutcome:
    """Do the `pictures` step; raises ToolFailed, EncodeInterrupted or FileMissing."""
    plan = pieces.plan_of(work)
    renditions, rate = [Rendition(**row) for row in plan["ladder"]], Fraction(plan["info"]["frame_rate"])
    described, luma = _sprite(work, renditions[-1], rate, ffmpeg)
    _poster(work, _for_poster(renditions), described["interval_s"] * _chosen(luma), rate, ffmpeg)
    for name in (SPRITE, POSTER):
        pieces.hand_on(work, work.folder / name, content_type="image/jpeg")
    return StepOutcome(outcome={"pictures": described | {"poster": POSTER, "sprite": SPRITE}})


def _sprite(work: StepWork, rendition: Rendition, rate: Fraction, ffmpeg: str) -> tuple[dict[str, Any], list[float]]:
    """The sheet, described, and how bright each of its tiles is (0 to 255)."""
    gop, frames = gop_frames(rate), joining.frames_of(work)
    keys = math.ceil(frames / gop)
    every = math.ceil(keys / TILES_MAX)
    count = math.ceil(keys / every)
    columns = min(COLUMNS, count)
    height = max(2, round(TILE_WIDTH * rendition.height / rendition.width / 2) * 2)
    chain = (
        f"select='not(mod(n,{every}))',scale={TILE_WIDTH}:{height},setsar=1,signalstats,"
        f"metadata=print:key=lavfi.signalstats.YAVG:file=luma.txt,tile={columns}x{math.ceil(count / columns)},"
        "format=yuvj420p"
    )
    inputs = ["-skip_frame", "nokey", "-f", "concat", "-i", joining.listed(work, rendition.name, rate)]
    progress = Progress(lambda share: work.progress(share * 0.9), name="frame", wanted=count)
    _run(work, [ffmpeg, *source.QUIET, *ARGUMENTS, *inputs, "-vf", chain, *_picture(SPRITE)], progress)
    luma = [float(found) for found in _LUMA.findall((work.folder / "luma.txt").read_text())]
    return {
        "interval_s": float(every * gop / rate),
        "columns": columns,
        "rows": math.ceil(count / columns),
        "width": TILE_WIDTH,
        "height": height,
        "count": len(luma),
    }, luma


def _chosen(luma: Sequence[float]) -> int:
    """The first tile from a tenth of the film on that is neither dark nor blank, otherwise the most even one."""
    later = range(min(math.ceil(len(luma) * POSTER_AT), len(luma) - 1), len(luma))
    good = (tile for tile in (*later, *range(later.start)) if DARK < luma[tile] < BRIGHT)
    return next(good, min(later, key=lambda tile: abs(luma[tile] - 128)))


def _for_poster(renditions: Sequence[Rendition]) -> Rendition:
    return next((rendition for rendition in renditions if rendition.width <= POSTER_WIDTH_MAX), renditions[-1])


def _poster(work: StepWork, rendition: Rendition, second: float, rate: Fraction, ffmpeg: str) -> None:
    """The key frame at this second of the film."""
    for done in joining.filled(work):
        length_s = float(done.outcome["frames"] / rate)
        if second < length_s - 0.001:
            break
        second -= length_s
    piece = pieces.fetch(work, done, f"{rendition.name}.mp4", as_name="poster.mp4")
    # A little after the key frame, so that seeking to the key frame before finds this one.
    seek = ["-noaccurate_seek", "-ss", f"{max(0.0, second) + 0.01:.6f}", "-skip_frame", "nokey"]
    shape = f"scale='min({POSTER_WIDTH_MAX},iw)':-2,setsar=1,format=yuvj420p"
    progress = Progress(lambda _: work.progress(0.95), name="frame", wanted=1)
    _run(work, [ffmpeg, *source.QUIET, *seek, "-i", piece.name, "-vf", shape, *_picture(POSTER)], progress)


def _picture(name: str) -> Sequence[str]:
    return ["-frames:v", "1", "-q:v", "4", "-update", "1", "-f", "image2", name]


def _run(work: StepWork, argv: Sequence[str], progress: Progress) -> None:
    command = running.Command(argv=argv, folder=work.folder, limits=LIMITS)
    running.run(command, on_line=progress.line, beat=progress.beat)
