import uuid
from pathlib import PurePosixPath

from django.db.models import Model


def _uuid_name(folder: str, filename: str) -> str:
    return f"{folder}/{uuid.uuid4().hex}{PurePosixPath(filename).suffix.lower()}"


def course_thumbnail_path(instance: Model, filename: str) -> str:
    return _uuid_name("images/course_thumbnails", filename)


def university_logo_path(instance: Model, filename: str) -> str:
    return _uuid_name("logos", filename)


def resource_path(instance: Model, filename: str) -> str:
    return _uuid_name("resources", filename)
