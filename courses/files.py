"""Names of stored files, which say nothing about what was uploaded, and the signed addresses of lesson resources."""

import uuid
from pathlib import PurePosixPath

from django.conf import settings
from django.core import signing
from django.core.exceptions import ValidationError
from django.core.files.base import File
from django.db.models import Model

RESOURCE_ADDRESS_MAX_AGE_S = 3600
RESOURCE_SUFFIXES = frozenset(
    [
        ".csv",
        ".docx",
        ".epub",
        ".ipynb",
        ".jpeg",
        ".jpg",
        ".md",
        ".odp",
        ".ods",
        ".odt",
        ".pdf",
        ".png",
        ".pptx",
        ".py",
        ".r",
        ".txt",
        ".webp",
        ".xlsx",
        ".zip",
    ]
)


def course_thumbnail_path(instance: Model, filename: str) -> str:
    return _uuid_name("images/course_thumbnails", filename)


def university_logo_path(instance: Model, filename: str) -> str:
    return _uuid_name("logos", filename)


def resource_path(instance: Model, filename: str) -> str:
    return _uuid_name("resources", filename)


def validate_resource(file: "File[bytes]") -> None:
    """Raise ValidationError for a file above RESOURCE_MAX_BYTES or of a kind that a browser might run."""
    if getattr(file, "_committed", False):
        return
    if file.size > settings.RESOURCE_MAX_BYTES:
        megabytes = settings.RESOURCE_MAX_BYTES / 1024 / 1024
        raise ValidationError(f"The file is larger than {megabytes:g} MB.", code="file_too_large")
    if PurePosixPath(file.name or "").suffix.lower() not in RESOURCE_SUFFIXES:
        kinds = ", ".join(sorted(suffix[1:] for suffix in RESOURCE_SUFFIXES))
        raise ValidationError(f"Send one of these kinds of file: {kinds}.", code="file_kind_refused")


def sign_resource(resource_id: int) -> str:
    """A token that opens one resource for RESOURCE_ADDRESS_MAX_AGE_S to whoever holds it."""
    return _signer().sign(str(resource_id))


def read_resource_token(token: str) -> int | None:
    """The resource that `token` opens; None when it is forged or too old."""
    try:
        return int(_signer().unsign(token, max_age=RESOURCE_ADDRESS_MAX_AGE_S))
    except (signing.BadSignature, ValueError):
        return None


def _signer() -> signing.TimestampSigner:
    return signing.TimestampSigner(salt="courses.resource")


def _uuid_name(folder: str, filename: str) -> str:
    return f"{folder}/{uuid.uuid4().hex}{PurePosixPath(filename).suffix.lower()}"
