"""Thumbnails: pictures of the size that was asked for, with the video's name and the second drawn on them
(https://developers.cloudflare.com/stream/viewing-videos/displaying-thumbnails/)."""

import io
import re
from typing import Any

from PIL import Image, ImageDraw, ImageFont
from werkzeug.datastructures import MultiDict

USUAL_SIDE, LONGEST_SIDE = 640, 2000
GROUND, INK = (220, 232, 238), (22, 50, 79)
GIF_FRAMES_AT_MOST = 24


def thumbnail(video: dict[str, Any], asked: "MultiDict[str, str]", kind: str) -> bytes:
    """One JPEG, or a GIF that moves through `duration` seconds at `fps` frames."""
    size = _side(asked, "width"), _side(asked, "height")
    second = seconds_of(asked.get("time", "0s"))
    body = io.BytesIO()
    if kind == "jpg":
        _picture(video, size, second).save(body, "JPEG", quality=80)
        return body.getvalue()
    fps = max(1, min(int(seconds_of(asked.get("fps", "8"))), 15))
    count = min(int(seconds_of(asked.get("duration", "5s")) * fps) or 1, GIF_FRAMES_AT_MOST)
    frames = [_picture(video, size, second + index / fps) for index in range(count)]
    frames[0].save(body, "GIF", save_all=True, append_images=frames[1:], duration=1000 // fps, loop=0)
    return body.getvalue()


def seconds_of(text: str) -> float:
    """Seconds in `68`, `68s`, `8m`, `5m2s` or `1h2m3s`; nothing readable is 0."""
    found = re.fullmatch(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s?)?", text)
    hours, minutes, seconds = found.groups(default="0") if found else ("0", "0", "0")
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds)


def _side(asked: "MultiDict[str, str]", name: str) -> int:
    text = asked.get(name, "")
    return min(int(text), LONGEST_SIDE) if text.isdecimal() and int(text) else USUAL_SIDE


def _picture(video: dict[str, Any], size: tuple[int, int], second: float) -> Image.Image:
    picture = Image.new("RGB", size, GROUND)
    pen = ImageDraw.Draw(picture)
    font = ImageFont.load_default(size=max(10, min(size) // 10))
    label = f"{second:g} s"
    pen.text((size[0] / 2, size[1] / 2), label, fill=INK, font=font, anchor="mm")
    name = str(video["meta"].get("name", ""))[:40]
    pen.text(
        (size[0] / 2, size[1] / 4),
        name,
        fill=INK,
        font=ImageFont.load_default(size=max(8, min(size) // 16)),
        anchor="mm",
    )
    share = second / video["duration"] if video["duration"] > 0 else 0
    pen.rectangle((0, size[1] - 4, size[0] * min(share, 1), size[1]), fill=(47, 143, 157))
    return picture
