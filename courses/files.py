"""Names of stored files, which say nothing about what was uploaded, and the signed addresses of lesson resources."""

import uuid
from pathlib import PurePosixPath

from django.core import signing
from django.db.models import Model

RESOURCE_ADDRESS_MAX_AGE_S = 3600


def course_thumbnail_path(instance: Model, filename: str) -> str:
    return _uuid_name("images/course_thumbnails", filename)


def university_logo_path(instance: Model, filename: str) -> str:
    return _uuid_name("logos", filename)


def resource_path(instance: Model, filename: str) -> str:
    return _uuid_name("resources", filename)


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
