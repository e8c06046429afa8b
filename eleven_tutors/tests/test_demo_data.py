"""What the demo holds; how the command behaves is in `test_seed_demo.py`."""

import pytest
from django.contrib.auth import authenticate
from django.core.management import call_command
from django.test import override_settings
from rest_framework.test import APIClient

from courses.access import is_platform_staff
from courses.models import Course, Enrollment, Lesson, Part, University
from eleven_tutors.demo.orders import find_stripe_stand_in
from eleven_tutors.tests.test_seed_demo import seed
from mailing.models import OutgoingMail
from payments.models import Order
from users.models import User
from users.tests.factories import auth_client
from videos.models import Asset, Video

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


@pytest.fixture(scope="module")
def committed_demo(django_db_setup, django_db_blocker, running_sandbox, sandbox_settings):
    """The demo with its videos, made once; what a test changes is taken back."""
    running_sandbox.reset()
    with django_db_blocker.unblock():
        try:
            with override_settings(DEBUG=True, **sandbox_settings()):
                seed()
            yield
        finally:
            call_command("flush", verbosity=0, interactive=False)


@pytest.fixture
def demo(committed_demo, db, settings):
    """The demo as a test finds it."""
    settings.DEBUG = True


def test_twice_is_the_same_as_once(demo, sandbox):
    def counted():
        return [model.objects.count() for model in (User, University, Course, Part, Lesson, Video, Asset, Order)]

    first = counted()
    pictures = set(Course.objects.values_list("thumbnail", flat=True))
    seed()
    assert counted() == first
    assert set(Course.objects.values_list("thumbnail", flat=True)) == pictures
    assert first[1] == 3
    assert first[2] == 12
    assert first[4] == first[5] == first[6]
    others = OutgoingMail.objects.exclude(kind__startswith="payments.")
    assert not others.exists(), "nobody is told by mail about samples"


def test_free_lessons_are_at_cloudflare_and_paid_ones_at_vdocipher(demo):
    free = Lesson.objects.filter(part__course__price_minor=0)
    hosts = set(free.values_list("video__assets__provider", flat=True))
    assert hosts == {"cloudflare"}
    assert set(Asset.objects.exclude(video__lessons__in=free).values_list("provider", flat=True)) == {"vdocipher"}
    assert Video.objects.filter(tags__name="preview").exists()


def test_dashboards_and_statistics_have_something_to_show(demo, sandbox):
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


def test_what_somebody_changed_in_the_demo_stays_changed(demo):
    Course.objects.filter(slug="introduction-to-proofs").update(title="Mine", price_minor=100)
    seed()
    course = Course.objects.get(slug="introduction-to-proofs")
    assert (course.title, course.price_minor) == ("Mine", 100)


def test_the_promised_courses_lessons_and_videos_are_there(demo):
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


def test_the_student_has_an_order_of_every_kind_and_the_rights_that_go_with_it(demo):
    rows = auth_client(User.objects.get(email="student@demo.test")).get("/api/payments/orders/").json()["results"]
    assert {row["status"]: (row["items"][0]["access"], len(row["refunds"])) for row in rows} == {
        "paid": ("granted", 0),
        "partially_refunded": ("granted", 1),
        "refunded": ("revoked", 1),
        "disputed": ("suspended", 0),
    }
    assert all(row["has_receipt"] for row in rows)
    assert Enrollment.objects.active().filter(user__email="student@demo.test").count() == 2


@pytest.mark.parametrize(
    "address",
    ["https://api.stripe.com", "http://sandbox.example/stripe", "http://127.0.0.1:9", "http://10.0.0.1/stripe"],
)
def test_nothing_is_bought_at_a_real_account(settings, address):
    settings.STRIPE_API_BASE = address
    assert find_stripe_stand_in() is None


def test_every_course_could_be_sold(demo):
    for course in Course.objects.all():
        course.full_clean()


def test_the_preview_plays_for_the_demo_student_and_the_paid_lesson_does_not(demo, sandbox):
    seed()
    client = auth_client(User.objects.get(email="student@demo.test"))
    assert client.get("/api/courses/lessons/welcome/").json()["otp"]
    assert client.get("/api/courses/lessons/what-is-a-proof/").status_code == 404


@pytest.mark.parametrize(
    ("email", "enters_admin", "runs_platform"),
    [("student@demo.test", False, False), ("instructor@demo.test", True, False), ("admin@demo.test", True, True)],
)
def test_each_account_logs_in_and_has_its_role(demo, email, enters_admin, runs_platform):
    user = authenticate(username=email, password="demo-11tutors")
    assert user is not None
    assert user.is_email_verified
    assert (user.is_staff, is_platform_staff(user)) == (enters_admin, runs_platform)
