"""Pictures on the timeline: one sheet of tiles, and the WebVTT track that says which tile is shown when."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

TYPE = "text/vtt; charset=utf-8"


@dataclass(frozen=True, kw_only=True)
class Tile:
    """A rectangle of the sheet, in pixels."""

    left: int
    top: int
    width: int
    height: int


def tile_at(pictures: Mapping[str, Any], second: float) -> Tile:
    """The tile nearest to this second of the film; the last one for what lies behind it."""
    return _tile(pictures, min(max(0, round(second / pictures["interval_s"])), pictures["count"] - 1))


def track(pictures: Mapping[str, Any], *, sheet_url: str, duration_s: float) -> str:
    """WebVTT whose cues name a part of the sheet, as players of the `thumbnails` track kind read it."""
    return "\n".join(["WEBVTT", "", *_cues(pictures, sheet_url, duration_s)])


def _cues(pictures: Mapping[str, Any], sheet_url: str, duration_s: float) -> Iterator[str]:
    interval_s, count = float(pictures["interval_s"]), int(pictures["count"])
    for number in range(count):
        end_s = max(duration_s, number * interval_s + 0.001) if number == count - 1 else (number + 1) * interval_s
        tile = _tile(pictures, number)
        yield f"{_time(number * interval_s)} --> {_time(end_s)}"
        yield f"{sheet_url}#xywh={tile.left},{tile.top},{tile.width},{tile.height}"
        yield ""


def _tile(pictures: Mapping[str, Any], number: int) -> Tile:
    row, column = divmod(number, int(pictures["columns"]))
    width, height = int(pictures["width"]), int(pictures["height"])
    return Tile(left=column * width, top=row * height, width=width, height=height)


def _time(seconds: float) -> str:
    whole, ms = divmod(round(seconds * 1000), 1000)
    return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}.{ms:03}"
