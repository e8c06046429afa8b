import pytest
from rest_framework.test import APIClient

from courses.models import Enrollment
from courses.services import end_enrollment
from courses.tests.counting import statements
from courses.tests.factories import enroll_student, make_course, make_lesson, watch
from courses.tests.people import make_instructor, make_staff
from users.tests.factories import auth_client, make_user
from videos.tests.factories import make_video

pytestmark = pytest.mark.django_db
URL = "/api/courses/enrollments/"


def test_i_see_my_own_rights_and_how_they_ended():
    student = make_user()
    ended, active = make_course(title="Ended"), make_course(title="Active")
    end_enrollment(enrollment=enroll_student(student, ended), reason="refund")
    enroll_student(student, active)
    enroll_student(make_user(), active)
    rows = auth_client(student).get(URL).json()["results"]
    assert [(row["course"]["title"], row["is_active"], row["ended_reason"]) for row in rows] == [
        ("Active", True, ""),
        ("Ended", False, "refund"),
    ]
    rights = {"course", "started_at", "is_active", "ended_at", "ended_reason", "source", "wants_updates"}
    assert rows[0].keys() == rights | {"percentage", "completed_lessons", "total_lessons", "continue"}
    assert rows[0]["course"] == {"id": active.pk, "slug": active.slug, "title": "Active", "thumbnail_url": ""}


@pytest.mark.parametrize("size", [2, 20])
def test_my_courses_cost_three_statements_at_any_size(size):
    student = make_user()
    for _ in range(size):
        course = make_course()
        enroll_student(student, course)
        for _ in range(size):
            watch(student, make_lesson(course=course, video=make_video()), position_s=5)
    client = auth_client(student)
    assert statements(lambda: client.get(URL)) <= 3


def test_staff_enroll_a_student_once_by_id_or_address():
    course, student = make_course(), make_user(email="Ada@example.test")
    staff = auth_client(make_staff())
    assert staff.post(URL, {"user_id": student.pk, "course": course.slug}).status_code == 201
    assert staff.post(URL, {"email": "ada@EXAMPLE.test", "course": course.slug}).status_code == 200
    enrollment = Enrollment.objects.get()
    assert (enrollment.user, enrollment.course, enrollment.source) == (student, course, "staff")


@pytest.mark.parametrize(
    "body", [{}, {"user_id": 1}, {"user_id": 0, "course": "x"}, {"email": "nobody@example.test", "course": "x"}]
)
def test_who_and_which_course_must_exist(body):
    answer = auth_client(make_staff()).post(URL, body)
    assert answer.status_code == 400
    assert answer.json()["type"] == "validation_error"


def test_nobody_else_gives_rights():
    course, student = make_course(), make_user()
    body = {"user_id": student.pk, "course": course.slug}
    assert APIClient().post(URL, body).status_code == 401
    teacher = make_instructor()
    course.instructors.add(teacher)
    for user in (student, teacher, make_user(is_staff=True)):
        assert auth_client(user).post(URL, body).status_code == 403
    assert not Enrollment.objects.exists()


def test_anonymous_people_have_no_rights_to_list():
    assert APIClient().get(URL).status_code == 401
