"""What an uploaded picture must be: a JPEG, PNG or WebP by its content, of a bounded size on disk and in memory."""

import warnings
from pathlib import PurePosixPath

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.base import File
from PIL import Image

_FORMATS = ("JPEG", "PNG", "WEBP")
IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp"})
_REFUSAL = "Send a JPEG, PNG or WebP picture."


def validate_image(file: File) -> None:
    """Raise ValidationError unless `file` is a sound picture within IMAGE_MAX_BYTES and IMAGE_MAX_PIXELS.

    The name and the type that the browser sent are not believed. SVG is refused: it can carry scripts.
    """
    if getattr(file, "_committed", False):
        return
    if file.size > settings.IMAGE_MAX_BYTES:
        megabytes = settings.IMAGE_MAX_BYTES / 1024 / 1024
        raise ValidationError(f"The picture is larger than {megabytes:g} MB.", code="image_too_large")
    if PurePosixPath(file.name or "").suffix.lower() not in IMAGE_SUFFIXES:
        raise ValidationError(_REFUSAL, code="image_invalid")
    _verify_content(file)


def _verify_content(file: File) -> None:
    file.seek(0)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            picture = Image.open(file, formats=_FORMATS)
        width, height = picture.size
        if width * height > settings.IMAGE_MAX_PIXELS:
            raise ValidationError(
                f"The picture has more than {settings.IMAGE_MAX_PIXELS:,} pixels.", code="image_too_many_pixels"
            )
        picture.verify()
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise ValidationError(_REFUSAL, code="image_invalid") from error
    finally:
        file.seek(0)
