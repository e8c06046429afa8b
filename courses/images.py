"""Pictures: what may be uploaded (by its content, bounded on disk and in memory), where it is found, when it goes."""

import warnings
from collections.abc import Iterable
from pathlib import PurePosixPath

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.base import File
from django.core.files.storage import Storage
from django.db import transaction
from django.db.models.fields.files import FieldFile
from django.urls import reverse
from PIL import Image

_FORMATS = ("JPEG", "PNG", "WEBP")
IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp"})
_REFUSAL = "Send a JPEG, PNG or WebP picture."


def validate_image(file: "File[bytes]") -> None:
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


def _verify_content(file: "File[bytes]") -> None:
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


def image_path(kind: str, owner_id: int, image: FieldFile) -> str:
    """The lasting address of a stored picture, from the root of this site; empty without one.

    `kind` is `thumbnails` (owner: a course) or `logos` (owner: a university). The address redirects to wherever the
    file can be fetched at the moment.
    """
    if not image or not image.name:
        return ""
    return reverse("courses:image", args=[kind, owner_id, PurePosixPath(image.name).name])


def delete_stored(images: Iterable[FieldFile]) -> None:
    """Delete files that no row names any more, once the current transaction has committed."""
    for image in images:
        if image.name:
            _delete_on_commit(image.storage, image.name)


def _delete_on_commit(storage: Storage, name: str) -> None:
    # Django names a robust callback that failed in its log, which a functools.partial has no name for.
    def delete() -> None:
        storage.delete(name)

    transaction.on_commit(delete, robust=True)
