from io import StringIO

import pytest
from django.contrib.auth import authenticate
from django.core.management import CommandError, call_command
from rest_framework.test import APIClient

from courses.access import is_platform_staff
from courses.models import Course, Lesson, Part, University
from eleven_tutors.demo.stand_in_videos import find_stand_in
from mailing.models import OutgoingMail
from users.models import User
from users.tests.factories import auth_client
from videos.models import Asset, Video

pytestmark = pytest.mark.django_db(transaction=True)


def seed() -> str:
    told = StringIO()
    call_command("seed_demo", stdout=told)
    return told.getvalue()


@pytest.fixture
def debug(settings):
    settings.DEBUG = True


def test_it_refuses_to_make_known_passwords_in_production():
    with pytest.raises(CommandError, match="DEBUG"):
        seed()
    assert not User.objects.exists()


def test_twice_is_the_same_as_once(debug, sandbox):
    def counted():
        return [model.objects.count() for model in (User, University, Course, Part, Lesson, Video, Asset)]

    seed()
    first = counted()
    pictures = set(Course.objects.values_list("thumbnail", flat=True))
    seed()
    assert counted() == first
    assert set(Course.objects.values_list("thumbnail", flat=True)) == pictures
    assert first[1] == 3
    assert first[2] == 12
    assert first[4] == first[5] == first[6]
    assert not OutgoingMail.objects.exists(), "nobody is told by mail about samples"


def test_free_lessons_are_at_cloudflare_and_paid_ones_at_vdocipher(debug, sandbox):
    seed()
    free = Lesson.objects.filter(part__course__price_minor=0)
    hosts = set(free.values_list("video__assets__provider", flat=True))
    assert hosts == {"cloudflare"}
    assert set(Asset.objects.exclude(video__lessons__in=free).values_list("provider", flat=True)) == {"vdocipher"}
    assert Video.objects.filter(tags__name="preview").exists()


def test_dashboards_and_statistics_have_something_to_show(debug, sandbox):
    seed()
    client = auth_client(User.objects.get(email="instructor@demo.test"))
    rows = client.get("/api/courses/courses/introduction-to-proofs/progress/").json()["results"]
    assert len(rows) == 5
    assert any(row["percentage"] for row in rows)
    welcome = Lesson.objects.get(slug="welcome").video
    figures = client.get(f"/api/videos/{welcome.pk}/statistics/").json()
    assert figures["unique_viewers"] == 5
    assert welcome.caption_tracks == [{"language": "en", "label": "English"}]
    learner = auth_client(User.objects.get(email="ida@demo.test"))
    assert learner.get("/api/courses/enrollments/").json()["results"][0]["continue"]


def test_what_somebody_changed_in_the_demo_stays_changed(debug):
    seed()
    Course.objects.filter(slug="introduction-to-proofs").update(title="Mine", price_minor=100)
    seed()
    course = Course.objects.get(slug="introduction-to-proofs")
    assert (course.title, course.price_minor) == ("Mine", 100)


def test_the_promised_courses_lessons_and_videos_are_there(debug, sandbox):
    seed()
    proofs = APIClient().get("/api/courses/courses/introduction-to-proofs/").json()
    assert proofs["price_display"] == "$49.00"
    lessons = {lesson["slug"]: lesson for part in proofs["parts"] for lesson in part["lessons"]}
    assert lessons["welcome"]["is_free_preview"]
    assert not lessons["what-is-a-proof"]["is_free_preview"]
    assert all(lesson["duration"] > 0 for lesson in lessons.values())
    assert APIClient().get("/api/courses/courses/?free=true").json()["count"] == 1
    assert Asset.objects.exclude(status="ready").count() == 0
    cards = APIClient().get("/api/courses/courses/").json()["results"]
    assert all(card["thumbnail_url"] and card["university"]["logo_url"] for card in cards)


def test_every_course_could_be_sold(debug):
    seed()
    for course in Course.objects.all():
        course.full_clean()


def test_the_preview_plays_for_the_demo_student_and_the_paid_lesson_does_not(debug, sandbox):
    seed()
    client = auth_client(User.objects.get(email="student@demo.test"))
    assert client.get("/api/courses/lessons/welcome/").json()["otp"]
    assert client.get("/api/courses/lessons/what-is-a-proof/").status_code == 404


@pytest.mark.parametrize(
    ("email", "enters_admin", "runs_platform"),
    [("student@demo.test", False, False), ("instructor@demo.test", True, False), ("admin@demo.test", True, True)],
)
def test_each_account_logs_in_and_has_its_role(debug, email, enters_admin, runs_platform):
    seed()
    user = authenticate(username=email, password="demo-11tutors")
    assert user is not None
    assert user.is_email_verified
    assert (user.is_staff, is_platform_staff(user)) == (enters_admin, runs_platform)


def test_without_a_stand_in_lessons_come_without_videos(debug, settings):
    settings.VIDEO_PROVIDERS = {}
    assert "without videos" in seed()
    assert Lesson.objects.exists()
    assert not Video.objects.exists()


def test_a_stand_in_that_comes_later_fills_the_videos_in(debug, settings, request):
    settings.VIDEO_PROVIDERS = {}
    seed()
    request.getfixturevalue("sandbox")
    seed()
    assert not Lesson.objects.filter(video=None).exists()


@pytest.mark.parametrize(
    "address",
    [
        "https://dev.vdocipher.com/api",
        "http://sandbox.example/vdocipher/api",
        "http://127.0.0.1:9/api",
        "http://10.0.0.1/vdocipher/api",
        "",
    ],
)
def test_a_real_account_is_never_filled(settings, address):
    settings.VIDEO_PROVIDERS = {"vdocipher": {"BACKEND": "x", "OPTIONS": {"api_url": address}}}
    assert find_stand_in() is None
