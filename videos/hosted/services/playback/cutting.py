"""Cutting and scaling pictures. Needs Pillow, the extra `pictures`."""

import io

from PIL import Image, ImageOps

from videos.hosted.services.playback.sprites import Tile

QUALITY = 85


def cut(data: bytes, tile: Tile | None, width: int | None, height: int | None) -> bytes:
    """A JPEG of this part of a picture, scaled down to fit; of both sizes given, its edges are cut off to fill them."""
    with Image.open(io.BytesIO(data)) as opened:
        image = opened if tile is None else opened.crop(_box(tile))
        image = _scaled(image.convert("RGB"), width, height)
    out = io.BytesIO()
    image.save(out, "JPEG", quality=QUALITY)
    return out.getvalue()


def _box(tile: Tile) -> tuple[int, int, int, int]:
    return tile.left, tile.top, tile.left + tile.width, tile.top + tile.height


def _scaled(image: Image.Image, width: int | None, height: int | None) -> Image.Image:
    if width and height:
        share = min(1.0, image.width / width, image.height / height)
        return ImageOps.fit(image, (max(1, round(width * share)), max(1, round(height * share))))
    if width or height:
        image.thumbnail((width or image.width, height or image.height))
    return image
