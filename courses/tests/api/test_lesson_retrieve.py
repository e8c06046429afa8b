import pytest
from rest_framework.test import APIClient

from courses.models import Lesson, LessonResource
from courses.services import end_enrollment
from courses.tests.counting import statements
from courses.tests.factories import enroll_student, make_course, make_lesson, make_part
from courses.tests.people import make_staff
from users.tests.factories import auth_client, make_user
from videos.models import PlaybackSession
from videos.tests.factories import host_video, make_video

pytestmark = pytest.mark.django_db


def url(lesson: Lesson) -> str:
    return f"/api/courses/lessons/{lesson.slug}/"


def watched_lesson(sandbox, **overrides) -> Lesson:
    return make_lesson(video=host_video(sandbox), **overrides)


def enrolled_client(lesson: Lesson, **overrides):
    student = make_user(**overrides)
    enroll_student(student, lesson.part.course)
    return auth_client(student)


def otp_calls(sandbox) -> list:
    return [call for call in sandbox.calls("vdocipher") if call["path"].endswith("/otp")]


def test_an_enrolled_student_gets_the_lesson_with_its_credentials(sandbox):
    course = make_course()
    first, last = make_part(course=course, position=1), make_part(course=course, position=2)
    before = make_lesson(part=first, position=9)
    lesson = watched_lesson(sandbox, part=last, position=1, description="Read on.", is_exam=True)
    after = make_lesson(part=last, position=2)
    LessonResource.objects.create(lesson=lesson, title="Notes", url="https://notes.example/1")
    answer = enrolled_client(lesson).get(url(lesson))
    body = answer.json()
    assert len(body.pop("otp")) > 40
    assert body.pop("playbackInfo")
    session = body.pop("session")
    assert PlaybackSession.objects.get().public_id.hex == session["id"].replace("-", "")
    assert session["lease_expires_at"] is None
    assert session["token"]
    assert body == {
        "slug": lesson.slug,
        "title": lesson.title,
        "description": "Read on.",
        "course": {"slug": course.slug, "title": course.title},
        "part_title": last.title,
        "position": 2,
        "is_free_preview": False,
        "is_exam": True,
        "resources": [{"title": "Notes", "url": "https://notes.example/1"}],
        "previous_slug": before.slug,
        "next_slug": after.slug,
        "video_id": str(lesson.video_id),
        "video_service_id": lesson.video.get_current_asset().host_id,
        "video_status": "ready",
        "playback_error": None,
        "my_progress": {
            "position": None,
            "coverage": None,
            "is_completed": False,
            "completed_at": None,
            "is_marked": False,
        },
    }
    assert answer["Cache-Control"] == "no-store"


def test_the_watermark_names_the_student(sandbox):
    lesson = watched_lesson(sandbox)
    enrolled_client(lesson, first_name="Ada", last_name="Byron", email="ada@example.test").get(url(lesson))
    assert "Ada Byron (ada@example.test)" in str(otp_calls(sandbox)[0]["body"])


def test_the_watermark_can_hide_the_address(sandbox, settings):
    settings.VIDEO_WATERMARK = "{name} {masked_email}"
    lesson = watched_lesson(sandbox)
    enrolled_client(lesson, first_name="Ada", last_name="Byron", email="ada@example.test").get(url(lesson))
    assert "Ada Byron a***@example.test" in str(otp_calls(sandbox)[0]["body"])


@pytest.mark.parametrize(
    ("person", "paid", "preview"),
    [
        ("anonymous", 401, 401),
        ("student", 404, 200),
        ("unverified student", 404, 200),
        ("enrolled", 200, 200),
        ("enrolled, not verified", 200, 200),
        ("ended", 404, 200),
        ("instructor", 200, 200),
        ("another instructor", 404, 200),
        ("admin visitor without rights", 404, 200),
        ("staff", 200, 200),
        ("superuser", 200, 200),
    ],
)
def test_who_may_open_a_lesson(person, paid, preview):
    teacher = make_user()
    course = make_course(instructors=[teacher])
    client = auth_client(teacher) if person == "instructor" else client_of(person, course)
    assert client.get(url(make_lesson(course=course))).status_code == paid
    assert client.get(url(make_lesson(course=course, is_free_preview=True))).status_code == preview


def client_of(person, course):
    match person:
        case "anonymous":
            return APIClient()
        case "staff":
            return auth_client(make_staff())
        case "superuser":
            return auth_client(make_user(is_staff=True, is_superuser=True))
        case "another instructor":
            user = make_user()
            make_course(instructors=[user])
            return auth_client(user)
        case "admin visitor without rights":
            return auth_client(make_user(is_staff=True))
    user = make_user(**({"email_verified_at": None} if "verified" in person else {}))
    if person.startswith(("enrolled", "ended")):
        enrollment = enroll_student(user, course)
        if person == "ended":
            end_enrollment(enrollment=enrollment, reason="refund")
    return auth_client(user)


@pytest.mark.parametrize(("person", "expected"), [("student", 404), ("enrolled", 200), ("staff", 200), ("ended", 404)])
def test_a_course_that_is_no_longer_published_stays_open_to_those_who_bought_it(person, expected):
    course = make_course(is_published=False)
    lesson = make_lesson(course=course, is_free_preview=True)
    assert client_of(person, course).get(url(lesson)).status_code == expected


def test_a_video_shared_with_a_free_preview_does_not_open_the_paid_lesson(sandbox):
    video = host_video(sandbox)
    paid, preview = make_lesson(video=video), make_lesson(video=video, is_free_preview=True)
    client = auth_client(make_user())
    assert client.get(url(paid)).status_code == 404
    assert client.get(url(preview)).json()["otp"]


def test_an_unknown_lesson_is_404():
    assert auth_client(make_user()).get("/api/courses/lessons/nowhere/").status_code == 404


@pytest.mark.parametrize("query", ["playback=false", "playback=0", "playback=FALSE"])
def test_the_credentials_can_be_left_out(sandbox, query):
    lesson = watched_lesson(sandbox)
    body = enrolled_client(lesson).get(f"{url(lesson)}?{query}").json()
    assert [body[key] for key in ("otp", "playbackInfo", "playback_error", "session")] == [None] * 4
    assert body["video_status"] == "ready"
    assert not otp_calls(sandbox)
    assert not PlaybackSession.objects.exists()


@pytest.mark.parametrize("headers", [{"Sec-Purpose": "prefetch"}, {"Sec-Purpose": "prefetch;prerender"}])
def test_a_prefetch_mints_nothing(sandbox, headers):
    lesson = watched_lesson(sandbox)
    assert enrolled_client(lesson).get(url(lesson), headers=headers).json()["otp"] is None
    assert not otp_calls(sandbox)


def test_a_head_request_mints_nothing(sandbox):
    lesson = watched_lesson(sandbox)
    answer = enrolled_client(lesson).head(url(lesson))
    assert (answer.status_code, answer.content) == (200, b"")
    assert not otp_calls(sandbox)
    assert not PlaybackSession.objects.exists()


@pytest.mark.parametrize(
    ("status", "code"),
    [("waiting", "video_not_ready"), ("processing", "video_not_ready"), ("failed", "video_failed")],
)
def test_a_video_that_cannot_be_played_leaves_the_lesson_readable(sandbox, status, code):
    lesson = make_lesson(video=make_video(asset={"status": status}))
    answer = enrolled_client(lesson).get(url(lesson))
    body = answer.json()
    assert answer.status_code == 200
    assert (body["otp"], body["playbackInfo"], body["session"]) == (None, None, None)
    assert body["playback_error"]["code"] == code
    assert body["playback_error"]["detail"]
    assert body["video_status"] == status


@pytest.mark.parametrize("fault", [{"status": 503}, {"status": 401}, {"body": "<html>", "content_type": "text/html"}])
def test_a_host_in_trouble_leaves_the_lesson_readable(sandbox, fault):
    lesson = watched_lesson(sandbox)
    sandbox.fault(service="vdocipher", path="/videos", times=-1, **fault)
    answer = enrolled_client(lesson).get(url(lesson))
    error = answer.json()["playback_error"]
    assert answer.status_code == 200
    assert answer.json()["otp"] is None
    assert error["code"] in {"host_unavailable", "host_misconfigured"}
    assert error["retry_after"] >= 1


def test_a_lesson_without_a_video_asks_for_none():
    body = enrolled_client(lesson := make_lesson()).get(url(lesson)).json()
    assert [body[key] for key in ("video_id", "video_service_id", "video_status", "playback_error")] == [None] * 4


def test_a_video_without_a_copy_is_missing():
    lesson = make_lesson(video=make_video(asset=False))
    body = enrolled_client(lesson).get(url(lesson)).json()
    assert body["video_status"] == "missing"
    assert body["playback_error"]["code"] == "video_missing"


def test_too_many_credentials_in_a_minute_leave_the_lesson_readable(sandbox, settings):
    rates = settings.REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"] | {"playback": "1/min"}
    settings.REST_FRAMEWORK = settings.REST_FRAMEWORK | {"DEFAULT_THROTTLE_RATES": rates}
    lesson = watched_lesson(sandbox)
    client = enrolled_client(lesson)
    assert client.get(url(lesson)).json()["otp"]
    body = client.get(url(lesson)).json()
    assert body["otp"] is None
    assert body["playback_error"]["code"] == "throttled"
    assert 0 < body["playback_error"]["retry_after"] <= 60


def test_the_device_that_the_browser_names_is_kept(sandbox):
    lesson = watched_lesson(sandbox)
    enrolled_client(lesson).get(url(lesson), headers={"X-Device-Id": "b3c1d6a0-7d1e-4a58-9d0b-0f8a3f1d2c4e"})
    assert PlaybackSession.objects.get().device_id == "b3c1d6a0-7d1e-4a58-9d0b-0f8a3f1d2c4e"


@pytest.mark.parametrize("device", ["x" * 65, "a b", "<script>"])
def test_a_device_id_of_another_shape_is_not_believed(sandbox, device):
    lesson = watched_lesson(sandbox)
    enrolled_client(lesson).get(url(lesson), headers={"X-Device-Id": device})
    assert PlaybackSession.objects.get().device_id != device


@pytest.mark.parametrize("size", [2, 150])
def test_a_lesson_costs_the_same_in_a_course_of_any_size(sandbox, size):
    part = make_part()
    for _ in range(size):
        make_lesson(part=part)
    lesson = watched_lesson(sandbox, part=part)
    client = enrolled_client(lesson)
    assert statements(lambda: client.get(f"{url(lesson)}?playback=false")) <= 7
    assert statements(lambda: client.get(url(lesson))) <= 14
