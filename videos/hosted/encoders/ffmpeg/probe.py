"""What kind of film a file is, found out before anything is decoded at length."""

import json
import math
from bisect import insort
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

from videos.hosted import containers
from videos.hosted.encoders.ffmpeg import running, source
from videos.hosted.encoders.ffmpeg.ladder import constant_rate
from videos.hosted.seams.encoder import EncodeFailed
from videos.providers import failures

PROBE_LIMITS = running.Limits(wall_s=180, cpu_s=120)
SCAN_LIMITS = running.Limits(wall_s=3600, cpu_s=1800)
STREAMS_MAX = 64
SIDE_MIN, SIDE_MAX = 16, 16384
END_S = 10
"""The end of a film is looked for so many seconds before the end that its header tells."""
LEAD_S = 0.25
"""Sound that begins so much before the picture is kept, under a first frame that stands still."""
_SHOWN = (
    "format=format_name,duration:"
    "stream=index,codec_type,codec_name,width,height,pix_fmt,sample_aspect_ratio,field_order,avg_frame_rate,"
    "r_frame_rate,start_time,duration,channels,sample_rate,color_transfer:"
    "stream_disposition=attached_pic,default:stream_tags=DURATION:stream_side_data=rotation"
)
Row = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """What is taken: seconds and bytes."""

    min_s: float
    max_s: float
    max_bytes: int


def probe(path: Path, *, ffprobe: str, bounds: Bounds, beat: Any = running._nothing) -> dict[str, Any]:
    """What the encoder must know of the film at `path`, as plain JSON; raises EncodeFailed for one it cannot take."""
    _check_size(path, bounds)
    asked = [ffprobe, "-v", "error", *source.SAFE, "-show_entries", _SHOWN, "-of", "json", "-i", path.name]
    try:
        said = json.loads(running.run(running.Command(argv=asked, folder=path.parent, limits=PROBE_LIMITS), beat=beat))
    except (running.ToolFailed, ValueError) as error:
        with path.open("rb") as file:
            is_media = containers.is_media(file.read(containers.HEAD_BYTES))
        code = failures.UNREADABLE if is_media else failures.NOT_A_VIDEO
        raise EncodeFailed(code, f"ffprobe does not open the file: {error}") from error
    video, audio = _video_of(said), _audio_of(said)
    start_s, end_s = _extent(path, ffprobe, said, video, beat)
    info = _described(path, said, video, audio, start_s, end_s - start_s)
    _check_length(info["duration_s"], _header_s(said, video), bounds)
    return info


def _check_size(path: Path, bounds: Bounds) -> None:
    size = path.stat().st_size
    if size == 0:
        raise EncodeFailed(failures.EMPTY_FILE, "The file has no bytes.")
    if size > bounds.max_bytes:
        raise EncodeFailed(failures.TOO_LONG, f"The file has {size} bytes.")


def _video_of(said: Row) -> Row:
    streams = said.get("streams", [])
    if len(streams) > STREAMS_MAX:
        raise EncodeFailed(failures.UNREADABLE, f"The file has {len(streams)} streams.")
    films = [row for row in streams if row.get("codec_type") == "video" and not _flag(row, "attached_pic")]
    if not films:
        has_sound = any(row.get("codec_type") == "audio" for row in streams)
        raise EncodeFailed(
            failures.NO_VIDEO_TRACK if has_sound else failures.UNREADABLE, "The file has no video stream."
        )
    readable = [row for row in films if row.get("codec_name", "unknown") != "unknown" and row.get("width")]
    if not readable:
        raise EncodeFailed(failures.UNREADABLE, "No decoder for the video stream, or no picture in it.")
    video = max(readable, key=lambda row: (_flag(row, "default"), row["width"] * row["height"]))
    width, height = video["width"], video["height"]
    if min(width, height) < SIDE_MIN or max(width, height) > SIDE_MAX or width * height > source.PIXELS_MAX:
        raise EncodeFailed(failures.UNREADABLE, f"The picture has {width} by {height} pixels.")
    return dict(video)


def _audio_of(said: Row) -> Row | None:
    heard = [
        row
        for row in said.get("streams", [])
        if row.get("codec_type") == "audio" and row.get("codec_name", "unknown") != "unknown" and row.get("channels")
    ]
    return max(heard, key=lambda row: _flag(row, "default"), default=None)


def _flag(row: Row, name: str) -> int:
    return int(row.get("disposition", {}).get(name, 0))


def _described(
    path: Path, said: Row, video: Row, audio: Row | None, start_s: float, duration_s: float
) -> dict[str, Any]:
    width, height = _shown_pixels(video)
    average, nominal = _rate(video.get("avg_frame_rate")), _rate(video.get("r_frame_rate"))
    rate = constant_rate(average, nominal)
    lead = _lead_frames(audio, start_s, rate)
    return {
        "format": said["format"]["format_name"],
        "size_bytes": path.stat().st_size,
        "duration_s": duration_s + float(lead / rate),
        "start_s": start_s - float(lead / rate),
        "width": width,
        "height": height,
        "rotation": _rotation(video),
        "video_stream": video["index"],
        "video_codec": video["codec_name"],
        "frame_rate": f"{rate.numerator}/{rate.denominator}",
        "is_variable": average != nominal,
        "is_interlaced": video.get("field_order") in ("tt", "bb", "tb", "bt"),
        "audio_stream": audio["index"] if audio else None,
        "audio_codec": audio["codec_name"] if audio else None,
        "audio_channels": audio["channels"] if audio else None,
    }


def _shown_pixels(video: Row) -> tuple[int, int]:
    """Width and height as players show it: square pixels, turned as the phone was held."""
    width, height = video["width"], video["height"]
    across, _, down = str(video.get("sample_aspect_ratio") or "1:1").partition(":")
    shape = Fraction(int(across), int(down)) if across.isdigit() and down.isdigit() and int(down) else Fraction(1)
    if Fraction(1, 8) <= shape <= 8:
        width = max(2, round(width * shape))
    return (height, width) if _rotation(video) % 180 else (width, height)


def _rotation(video: Row) -> int:
    told = [row["rotation"] for row in video.get("side_data_list", []) if "rotation" in row]
    return round(float(told[0]) / 90) * 90 % 360 if told else 0


def _lead_frames(audio: Row | None, start_s: float, rate: Fraction) -> int:
    begins_s = _seconds(audio.get("start_time")) if audio else None
    early_s = start_s - begins_s if begins_s is not None else 0.0
    return math.floor(early_s * rate) if LEAD_S < early_s < 3600 else 0


def _rate(text: Any) -> Fraction:
    try:
        return Fraction(str(text))
    except (ValueError, ZeroDivisionError):
        return Fraction(0)


def _seconds(text: Any) -> float | None:
    """Seconds as ffprobe tells them, also `00:01:02.5` as Matroska does; None for what is no number."""
    try:
        hours, minutes, seconds = ("0:0:" + str(text)).rsplit(":", 3)[-3:]
        value = float(hours) * 3600 + float(minutes) * 60 + float(seconds)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _header_s(said: Row, video: Row) -> float:
    told = (video.get("duration"), video.get("tags", {}).get("DURATION"), said["format"].get("duration"))
    return next((value for text in told if (value := _seconds(text))), 0.0)


def _extent(path: Path, ffprobe: str, said: Row, video: Row, beat: Any) -> tuple[float, float]:
    """First and last moment of the picture, by its packets: what the header says is only where to look."""
    first = _moments(path, ffprobe, video, "%+#50", beat)
    if not first.last:
        raise EncodeFailed(failures.UNREADABLE, "The video stream is empty.")
    near_end_s = first.earliest_s + _header_s(said, video) - END_S
    near_end = near_end_s > first.earliest_s and _moments(path, ffprobe, video, f"{near_end_s:.3f}%", beat)
    found = near_end if near_end and near_end.last else _moments(path, ffprobe, video, "", beat)
    moments = found.last or first.last
    shown_s = moments[-1][1] or (max(b[0] - a[0] for a, b in pairwise(moments)) if len(moments) > 1 else 0)
    usual_s = float(1 / (_rate(video.get("avg_frame_rate")) or 25))
    return first.earliest_s, moments[-1][0] + (shown_s or usual_s)


class _Moments:
    """When packets are shown and for how long, in seconds: the earliest, and the last three of however many."""

    def __init__(self) -> None:
        self.earliest_s = math.inf
        self.last: list[tuple[float, float]] = []

    def take(self, line: str) -> None:
        shown, decoded, duration = [_seconds(text) for text in f"{line},,".split(",")[:3]]
        when = decoded if shown is None else shown
        if when is not None:
            self.earliest_s = min(self.earliest_s, when)
            insort(self.last, (when, duration or 0.0))
            del self.last[:-3]


def _moments(path: Path, ffprobe: str, video: Row, interval: str, beat: Any) -> _Moments:
    """Those of the packets in an interval as ffprobe writes it; none when it cannot seek there."""
    asked = [ffprobe, "-v", "error", *source.SAFE, "-select_streams", str(video["index"])]
    asked += ["-read_intervals", interval] if interval else []
    asked += ["-show_entries", "packet=pts_time,dts_time,duration_time", "-of", "csv=p=0", "-i", path.name]
    found = _Moments()
    try:
        running.run(running.Command(argv=asked, folder=path.parent, limits=SCAN_LIMITS), on_line=found.take, beat=beat)
    except running.ToolFailed:
        return _Moments()
    return found


def _check_length(real_s: float, told_s: float, bounds: Bounds) -> None:
    if real_s > bounds.max_s:
        raise EncodeFailed(failures.TOO_LONG, f"The film is {real_s:.0f} s long.")
    if real_s < told_s * 0.9 - 1:
        raise EncodeFailed(failures.UNREADABLE, f"The film ends at {real_s:.1f} s of the {told_s:.1f} s that it tells.")
    if real_s < bounds.min_s:
        raise EncodeFailed(failures.TOO_SHORT, f"The film is {real_s:.2f} s long.")
