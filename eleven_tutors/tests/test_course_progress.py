"""How far a student is: derived from what they watched and marked, told wherever a course is shown."""

from datetime import UTC, datetime, timedelta

import pytest
from rest_framework.test import APIClient

from courses.models import LessonProgress
from courses.tests.counting import statements
from courses.tests.factories import enroll_student, make_course, make_lesson, make_part, watch
from courses.tests.people import make_staff
from users.tests.factories import auth_client, make_user
from videos.tests.factories import make_video

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


def minutes(count) -> datetime:
    return NOON + timedelta(minutes=count)


@pytest.fixture
def student():
    return make_user(first_name="Ada", last_name="Byron", email="ada@example.test")


@pytest.fixture
def teacher():
    return make_user()


@pytest.fixture
def course(student, teacher):
    course = make_course(instructors=[teacher])
    part = make_part(course=course)
    for number in range(5):
        make_lesson(part=part, slug=f"lesson-{number}", title=f"Lesson {number}", position=number, video=make_video())
    enroll_student(student, course)
    return course


def lesson_of(course, number):
    return course.parts.get().lessons.get(slug=f"lesson-{number}")


def detail(client, course):
    return client.get(f"/api/courses/courses/{course.slug}/").json()


def row(client):
    return client.get("/api/courses/enrollments/").json()["results"][0]


def completion(lesson) -> str:
    return f"/api/courses/lessons/{lesson.slug}/completion/"


def test_who_has_not_begun_starts_at_the_top(course, student):
    client = auth_client(student)
    assert detail(client, course)["my_progress"] == {
        "completed_lessons": 0,
        "total_lessons": 5,
        "percentage": 0,
        "next_lesson_slug": "lesson-0",
        "last_lesson_slug": None,
    }
    assert row(client)["continue"] == {
        "lesson_slug": "lesson-0",
        "lesson_title": "Lesson 0",
        "position": None,
        "duration": 60.0,
    }


def test_what_was_left_unfinished_last_is_where_to_go_on(course, student):
    watch(student, lesson_of(course, 1), last_played_at=minutes(1), position_s=20)
    watch(student, lesson_of(course, 3), last_played_at=minutes(2), position_s=33)
    watch(student, lesson_of(course, 4), last_played_at=minutes(3), completed_at=minutes(3), covered_ms=60_000)
    client = auth_client(student)
    mine = detail(client, course)["my_progress"]
    assert (mine["percentage"], mine["next_lesson_slug"], mine["last_lesson_slug"]) == (20, "lesson-3", "lesson-4")
    assert row(client)["continue"]["position"] == 33
    lessons = detail(client, course)["parts"][0]["lessons"]
    assert [lesson["my_coverage"] for lesson in lessons] == [None, 0.25, None, 0.25, 1.0]
    assert [lesson["is_completed"] for lesson in lessons] == [False, False, False, False, True]


def test_after_a_finished_lesson_comes_the_next_unfinished_one_and_then_the_first(course, student):
    client = auth_client(student)
    for number, following in ((3, "lesson-4"), (4, "lesson-0"), (0, "lesson-1"), (1, "lesson-2"), (2, None)):
        assert client.post(completion(lesson_of(course, number))).status_code == 200
        assert detail(client, course)["my_progress"]["next_lesson_slug"] == following
    assert row(client)["continue"] is None
    assert row(client)["percentage"] == 100


def test_what_a_replaced_video_lasts_now_counts_for_the_position(course, student):
    watch(student, lesson_of(course, 0), position_s=60, duration_ms=120_000)
    assert row(auth_client(student))["continue"]["position"] == 30


def test_locked_lessons_are_not_where_a_visitor_goes_on(course):
    lesson = lesson_of(course, 2)
    lesson.is_free_preview = True
    lesson.save()
    assert detail(auth_client(make_user()), course)["my_progress"]["next_lesson_slug"] == "lesson-2"


def test_an_ended_right_leads_nowhere(course, student):
    student.enrollments.update(is_active=False, ended_at=NOON)
    assert row(auth_client(student))["continue"] is None


def test_marking_twice_is_once_and_can_be_taken_back(course, student):
    client, lesson = auth_client(student), lesson_of(course, 0)
    first = client.post(completion(lesson)).json()
    assert first["is_completed"]
    assert client.post(completion(lesson)).json() == first
    assert LessonProgress.objects.count() == 1
    page = client.get(f"/api/courses/lessons/{lesson.slug}/?playback=false").json()
    assert page["my_progress"] == {"position": None, "coverage": None, **first}
    for _ in range(2):
        answer = client.delete(completion(lesson))
        assert answer.json() == {"is_completed": False, "completed_at": None, "is_marked": False}


def test_what_was_watched_to_the_end_stays_completed(course, student):
    client, lesson = auth_client(student), lesson_of(course, 0)
    watch(student, lesson, completed_at=NOON, position_s=58)
    client.post(completion(lesson))
    client.delete(completion(lesson))
    mine = client.get(f"/api/courses/lessons/{lesson.slug}/?playback=false").json()["my_progress"]
    assert (mine["is_completed"], mine["is_marked"], mine["position"]) == (True, False, 58)
    assert mine["completed_at"] == "2026-05-01T12:00:00Z"


def test_only_what_one_may_open_can_be_marked(course):
    lesson = lesson_of(course, 0)
    assert auth_client(make_user()).post(completion(lesson)).status_code == 404
    assert APIClient().post(completion(lesson)).status_code == 401
    assert not LessonProgress.objects.exists()


def test_nobody_sees_the_progress_of_others_in_their_own(course, student):
    watch(student, lesson_of(course, 0), completed_at=NOON)
    auth_client(student).post(completion(lesson_of(course, 1)))
    other = make_user()
    enroll_student(other, course)
    client = auth_client(other)
    assert detail(client, course)["my_progress"]["completed_lessons"] == 0
    assert all(lesson["my_position"] is None for lesson in detail(client, course)["parts"][0]["lessons"])
    assert row(client)["percentage"] == 0


def test_a_teacher_sees_how_far_the_students_are(course, student, teacher):
    watch(student, lesson_of(course, 0), completed_at=NOON, last_played_at=minutes(5))
    auth_client(student).post(completion(lesson_of(course, 0)))
    auth_client(student).post(completion(lesson_of(course, 1)))
    LessonProgress.objects.update(completed_at=minutes(4))
    elsewhere = make_lesson(video=make_video())
    watch(student, elsewhere, last_played_at=minutes(99), completed_at=NOON)
    idle = make_user()
    enroll_student(idle, course)
    url = f"/api/courses/courses/{course.slug}/progress/"
    rows = auth_client(teacher).get(url).json()["results"]
    assert [(each["student"]["email"], each["percentage"], each["last_active_at"]) for each in rows] == [
        (idle.email, 0, None),
        ("ada@example.test", 40, "2026-05-01T12:05:00Z"),
    ]
    assert rows[1]["student"]["name"] == "Ada Byron"
    assert auth_client(make_staff()).get(url).status_code == 200
    assert auth_client(student).get(url).status_code == 403
    assert APIClient().get(url).status_code == 401


@pytest.mark.parametrize("size", [2, 25])
def test_what_a_teacher_sees_costs_the_same_for_any_number_of_students(course, teacher, size):
    for _ in range(size):
        student = make_user()
        enroll_student(student, course)
        watch(student, lesson_of(course, 0))
    client = auth_client(teacher)
    assert statements(lambda: client.get(f"/api/courses/courses/{course.slug}/progress/")) == 4
