from io import BytesIO

import pytest
from django.core.exceptions import ValidationError
from django.core.files.storage import FileSystemStorage
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from courses.images import delete_stored, validate_image
from courses.models import Course
from courses.tests.pictures import picture


def refusal(file) -> str:
    with pytest.raises(ValidationError) as refused:
        validate_image(file)
    return refused.value.code


@pytest.mark.parametrize(
    ("name", "kind"), [("a.jpg", "JPEG"), ("a.JPEG", "JPEG"), ("a.png", "PNG"), ("a.webp", "WEBP")]
)
def test_jpeg_png_and_webp_are_taken(name, kind):
    file = picture(name, kind=kind)
    validate_image(file)
    assert file.tell() == 0


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.svg", b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'),
        ("a.png", b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'),
        ("a.png", b""),
        ("a.png", b"\x89PNG\r\n\x1a\n"),
        ("a.jpg", b"GIF89a"),
        ("a.jpg", b"<html>"),
        ("a.png", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n"),
    ],
)
def test_what_is_no_picture_of_these_kinds_is_refused_by_its_content(name, content):
    assert refusal(SimpleUploadedFile(name, content, content_type="image/png")) == "image_invalid"


@pytest.mark.parametrize("name", ["a.php", "a.html", "a", "a.png.svg"])
def test_a_picture_under_a_foreign_name_is_refused(name):
    assert refusal(picture(name)) == "image_invalid"


@pytest.mark.parametrize("kind", ["GIF", "BMP", "TIFF"])
def test_other_kinds_of_pictures_are_refused(kind):
    assert refusal(picture("a.png", kind=kind)) == "image_invalid"


def test_a_picture_that_breaks_off_is_refused():
    whole = picture("a.png", size=(64, 64)).read()
    assert refusal(SimpleUploadedFile("a.png", whole[: len(whole) // 2])) == "image_invalid"


def test_a_large_file_is_refused(settings):
    settings.IMAGE_MAX_BYTES = 100
    assert refusal(picture(size=(200, 200))) == "image_too_large"


def test_a_small_file_of_many_pixels_is_refused_before_it_is_unpacked():
    content = BytesIO()
    Image.new("1", (12_000, 12_000)).save(content, "PNG", optimize=True)
    bomb = SimpleUploadedFile("a.png", content.getvalue())
    assert bomb.size < 100_000
    assert refusal(bomb) == "image_too_many_pixels"


class BrokenStorage(FileSystemStorage):
    def delete(self, name):
        raise OSError("the storage is down")


@pytest.mark.django_db(transaction=True)
def test_a_storage_that_is_down_is_logged_and_fails_nothing(caplog):
    course = Course(thumbnail="images/course_thumbnails/gone.png")
    course.thumbnail.storage = BrokenStorage()
    delete_stored([course.thumbnail])
    assert "the storage is down" in caplog.text
