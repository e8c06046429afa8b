import time
from urllib.parse import urlsplit

import pytest
from django.core import signing
from django.core.files.base import ContentFile
from rest_framework.test import APIClient

from courses.files import sign_resource
from courses.models import LessonResource
from courses.tests.factories import enroll_student, make_course, make_lesson, make_university
from courses.tests.pictures import picture
from users.tests.factories import auth_client, make_user

pytestmark = pytest.mark.django_db


def body_of(answer) -> bytes:
    content = b"".join(answer.streaming_content)
    answer.close()
    return content


def test_a_thumbnail_has_a_lasting_address_that_anybody_can_follow_to_the_picture():
    course = make_course(thumbnail=picture())
    address = APIClient().get("/api/courses/courses/").json()["results"][0]["thumbnail_url"]
    assert address.startswith(f"http://testserver/api/courses/images/thumbnails/{course.pk}/")
    redirect = APIClient().get(urlsplit(address).path)
    assert redirect.status_code == 302
    assert redirect["Cache-Control"].startswith("public, max-age=")
    shown = APIClient().get(redirect["Location"])
    assert shown["Content-Type"] == "image/png"
    with course.thumbnail.open() as stored:
        assert body_of(shown) == stored.read()


def test_a_logo_has_one_too():
    university = make_university(logo=picture("Our Logo.webp", kind="WEBP"))
    redirect = APIClient().get(university.logo_path)
    assert redirect.status_code == 302
    shown = APIClient().get(redirect["Location"])
    assert shown["Content-Type"] == "image/webp"
    assert body_of(shown)[8:12] == b"WEBP"


def test_the_stored_name_says_nothing_about_what_was_uploaded():
    course = make_course(thumbnail=picture("../secret plan.png"))
    assert course.thumbnail.name.startswith("images/course_thumbnails/")
    assert "secret" not in course.thumbnail.name


@pytest.mark.parametrize(
    "path",
    [
        "/api/courses/images/thumbnails/{pk}/other.png",
        "/api/courses/images/logos/{pk}/{name}",
        "/api/courses/images/thumbnails/999999/{name}",
        "/api/courses/images/resources/{pk}/{name}",
        "/api/courses/images/thumbnails/{pk}/..%2F{name}",
    ],
)
def test_no_other_address_leads_to_a_picture(path):
    course = make_course(thumbnail=picture())
    name = course.thumbnail.name.rpartition("/")[2]
    assert APIClient().get(path.format(pk=course.pk, name=name)).status_code == 404


def test_a_file_of_a_lesson_opens_by_the_address_that_the_lesson_gives(settings):
    lesson = make_lesson()
    resource = LessonResource(lesson=lesson, title="Notes / one")
    resource.file.save("notes.pdf", ContentFile(b"%PDF-1.7"))
    student = make_user()
    enroll_student(student, lesson.part.course)
    body = auth_client(student).get(f"/api/courses/lessons/{lesson.slug}/?playback=false").json()
    address = body["resources"][0]["url"]
    answer = APIClient().get(urlsplit(address).path)
    assert body_of(answer) == b"%PDF-1.7"
    assert answer["Content-Disposition"].startswith("attachment")
    assert answer["Cache-Control"] == "private, no-store"
    assert APIClient().get(f"/media/{resource.file.name}").status_code == 404


def test_a_forged_or_foreign_token_opens_no_file():
    lesson = make_lesson()
    resource = LessonResource(lesson=lesson, title="Notes")
    resource.file.save("notes.pdf", ContentFile(b"%PDF-1.7"))
    token = sign_resource(resource.pk)
    for wrong in (token[:-1] + ("A" if token[-1] != "A" else "B"), f"{resource.pk}", "x:y:z"):
        assert APIClient().get(f"/api/courses/resources/{wrong}/").status_code == 404


@pytest.mark.parametrize(("age_s", "expected"), [(3500, 200), (3700, 404)])
def test_an_address_of_a_file_works_for_an_hour(monkeypatch, age_s, expected):
    resource = LessonResource(lesson=make_lesson(), title="Notes")
    resource.file.save("notes.pdf", ContentFile(b"%PDF-1.7"))
    signed_at = signing.b62_encode(int(time.time()) - age_s)
    with monkeypatch.context() as back_then:
        back_then.setattr(signing.TimestampSigner, "timestamp", lambda signer: signed_at)
        path = f"/api/courses/resources/{sign_resource(resource.pk)}/"
    answer = APIClient().get(path)
    answer.close()
    assert answer.status_code == expected


@pytest.mark.parametrize("path", ["resources/x.pdf", "images/../resources/x.pdf", "db.sqlite3", "images/"])
def test_nothing_but_pictures_is_served_from_the_disk(path):
    assert APIClient().get(f"/media/{path}").status_code == 404
