"""Pictures for the demo: drawn here, so that nothing has to be licensed or shipped."""

import colorsys
import hashlib
import textwrap
from io import BytesIO

from django.core.files.base import ContentFile
from PIL import Image, ImageDraw, ImageFont

_WIDTH, _HEIGHT, _MARGIN = 1280, 720, 88


def course_picture(title: str, university: str) -> ContentFile:
    """A 1280 by 720 JPEG with the course's title on colours that follow from it."""
    seed = hashlib.sha256(title.encode()).digest()
    hue = seed[0] / 255
    picture = _gradient((_WIDTH, _HEIGHT), _colour(hue, 0.62, 0.30), _colour(hue + 0.11, 0.70, 0.56))
    _draw_rings(picture, seed)
    draw = ImageDraw.Draw(picture)
    lines = textwrap.wrap(title, width=18)
    y = _HEIGHT - _MARGIN - 74 - 104 * len(lines)
    draw.rectangle([_MARGIN, y - 36, _MARGIN + 96, y - 26], fill=_colour(hue + 0.5, 0.55, 0.95))
    for line in lines:
        draw.text((_MARGIN, y), line, font=ImageFont.load_default(92), fill="white")
        y += 104
    draw.text((_MARGIN, y + 24), university, font=ImageFont.load_default(36), fill=(255, 255, 255, 220))
    return _file(picture, "JPEG", "picture.jpg")


def logo_picture(name: str) -> ContentFile:
    """A 256 by 256 PNG with the initials of a name."""
    hue = hashlib.sha256(name.encode()).digest()[0] / 255
    picture = _gradient((256, 256), _colour(hue, 0.55, 0.35), _colour(hue + 0.06, 0.6, 0.6))
    initials = "".join(word[0] for word in name.split() if word[0].isupper())[:2]
    ImageDraw.Draw(picture).text((128, 128), initials, font=ImageFont.load_default(124), fill="white", anchor="mm")
    return _file(picture, "PNG", "logo.png")


def _gradient(size: tuple[int, int], start: tuple[int, int, int], end: tuple[int, int, int]) -> Image.Image:
    slope = Image.linear_gradient("L").rotate(90).resize(size)
    return Image.composite(Image.new("RGB", size, start), Image.new("RGB", size, end), slope)


def _draw_rings(picture: Image.Image, seed: bytes) -> None:
    layer = Image.new("RGBA", picture.size)
    draw = ImageDraw.Draw(layer)
    for number in range(6):
        x = _WIDTH * 0.55 + seed[number + 1] / 255 * _WIDTH * 0.45
        y, radius = seed[number + 7] / 255 * _HEIGHT, 50 + seed[number + 13]
        box = [x - radius, y - radius, x + radius, y + radius]
        draw.ellipse(box, outline=(255, 255, 255, 46), width=4 + seed[number + 19] % 24)
    picture.paste(layer, mask=layer)


def _colour(hue: float, saturation: float, value: float) -> tuple[int, int, int]:
    red, green, blue = colorsys.hsv_to_rgb(hue % 1, saturation, value)
    return round(red * 255), round(green * 255), round(blue * 255)


def _file(picture: Image.Image, kind: str, name: str) -> ContentFile:
    content = BytesIO()
    picture.save(content, kind, quality=86, optimize=True)
    return ContentFile(content.getvalue(), name=name)
