"""Files that no row names any more: left behind by cascades, imports and crashes between storage and database."""

from collections.abc import Iterator
from datetime import timedelta

from django.core.files.storage import default_storage
from django.utils import timezone

from courses.models import Course, LessonResource, University

_FOLDERS = {
    "images/course_thumbnails": (Course, "thumbnail"),
    "logos": (University, "logo"),
    "resources": (LessonResource, "file"),
}
_GRACE = timedelta(days=1)


def delete_unused_files() -> list[str]:
    """Delete stored files that no row names and that are older than a day; gives their names.

    The day is for uploads whose row is being written at this moment.
    """
    unused = [name for folder in _FOLDERS for name in _unused_in(folder)]
    for name in unused:
        default_storage.delete(name)
    return unused


def _unused_in(folder: str) -> Iterator[str]:
    model, field = _FOLDERS[folder]
    before = timezone.now() - _GRACE
    used = set(model._default_manager.values_list(field, flat=True))
    for file_name in _files_of(folder):
        name = f"{folder}/{file_name}"
        if name not in used and default_storage.get_modified_time(name) < before:
            yield name


def _files_of(folder: str) -> list[str]:
    try:
        return list(default_storage.listdir(folder)[1])
    except FileNotFoundError:
        return []
