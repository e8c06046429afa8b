import os
import time
from io import StringIO

import pytest
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import call_command

from courses.files import validate_resource
from courses.models import LessonResource
from courses.tests.factories import make_course, make_lesson
from courses.tests.pictures import picture


def grow_old(name: str) -> None:
    two_days_ago = time.time() - 2 * 86400
    os.utime(default_storage.path(name), (two_days_ago, two_days_ago))


@pytest.mark.django_db
def test_only_old_files_without_a_row_are_deleted(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    kept = make_course(thumbnail=picture()).thumbnail.name
    orphan = default_storage.save("images/course_thumbnails/orphan.png", ContentFile(b"x"))
    fresh = default_storage.save("images/course_thumbnails/fresh.png", ContentFile(b"x"))
    foreign = default_storage.save("elsewhere/file.txt", ContentFile(b"x"))
    resource = LessonResource(lesson=make_lesson(), title="Notes")
    resource.file.save("notes.pdf", ContentFile(b"x"))
    lost = resource.file.name
    resource.lesson.part.delete()
    for name in (kept, orphan, foreign, lost):
        grow_old(name)
    told = StringIO()
    call_command("delete_unused_files", stdout=told)
    assert not default_storage.exists(orphan)
    assert not default_storage.exists(lost)
    assert all(default_storage.exists(name) for name in (kept, fresh, foreign))
    assert "2 unused files deleted." in told.getvalue()


@pytest.mark.django_db
def test_there_is_nothing_to_delete_in_an_empty_storage(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "none"
    told = StringIO()
    call_command("delete_unused_files", stdout=told)
    assert told.getvalue() == "0 unused files deleted.\n"


@pytest.mark.parametrize("name", ["notes.pdf", "DATA.CSV", "code.zip"])
def test_usual_kinds_of_files_are_taken(name):
    validate_resource(ContentFile(b"x", name=name))


@pytest.mark.parametrize("name", ["page.html", "picture.svg", "run.exe", "script.js", "noname"])
def test_files_that_a_browser_or_a_desktop_would_run_are_refused(name):
    with pytest.raises(ValidationError) as refused:
        validate_resource(ContentFile(b"x", name=name))
    assert refused.value.code == "file_kind_refused"


def test_a_file_above_the_limit_is_refused(settings):
    settings.RESOURCE_MAX_BYTES = 10
    with pytest.raises(ValidationError) as refused:
        validate_resource(ContentFile(b"x" * 11, name="notes.pdf"))
    assert refused.value.code == "file_too_large"
