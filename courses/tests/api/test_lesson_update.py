import pytest
from rest_framework.test import APIClient

from courses.models import Lesson
from courses.tests.factories import enroll_student, make_course, make_lesson, make_part
from courses.tests.people import make_staff
from users.tests.factories import auth_client, make_user
from videos.tests.factories import host_video, make_video

pytestmark = pytest.mark.django_db(transaction=True)


def url(lesson: Lesson) -> str:
    return f"/api/courses/lessons/{lesson.slug}/"


@pytest.fixture
def teacher():
    return make_user()


@pytest.fixture
def lesson(teacher) -> Lesson:
    return make_lesson(course=make_course(instructors=[teacher]))


def test_the_instructor_changes_the_words(lesson, teacher):
    changes = {"title": "New", "description": "Words", "is_free_preview": True, "is_exam": True}
    answer = auth_client(teacher).patch(url(lesson), changes)
    assert answer.status_code == 200
    assert answer.json()["otp"] is None
    lesson.refresh_from_db()
    assert {name: getattr(lesson, name) for name in changes} == changes


def test_an_id_from_the_hosts_dashboard_becomes_the_video_and_its_status_is_fetched(sandbox, lesson, teacher):
    host_id = sandbox.add_video(title="Film", status="ready", length=77)
    answer = auth_client(teacher).patch(url(lesson), {"video_service_id": host_id})
    assert answer.status_code == 200
    assert answer.json()["video_service_id"] == host_id
    lesson.refresh_from_db()
    asset = lesson.video.get_current_asset()
    assert (asset.host_id, asset.status, asset.duration_s) == (host_id, "ready", 77)
    assert lesson.video.owner == teacher
    assert lesson.video.title == lesson.title


def test_another_id_replaces_the_copy_and_keeps_the_video(sandbox, lesson, teacher):
    client = auth_client(teacher)
    client.patch(url(lesson), {"video_service_id": sandbox.add_video()})
    lesson.refresh_from_db()
    video_id, second = lesson.video_id, sandbox.add_video()
    client.patch(url(lesson), {"video_service_id": second})
    lesson.refresh_from_db()
    assert lesson.video_id == video_id
    assert lesson.video.get_current_asset().host_id == second
    assert lesson.video.assets.count() == 2


def test_an_id_for_one_lesson_of_a_shared_video_leaves_the_other_alone(sandbox, lesson, teacher):
    client = auth_client(teacher)
    first, second = sandbox.add_video(), sandbox.add_video()
    other = make_lesson(part=lesson.part)
    for each in (lesson, other):
        assert client.patch(url(each), {"video_service_id": first}).status_code == 200
    client.patch(url(lesson), {"video_service_id": second})
    lesson.refresh_from_db()
    other.refresh_from_db()
    assert lesson.video.get_current_asset().host_id == second
    assert other.video.get_current_asset().host_id == first


def test_an_empty_id_takes_the_video_away(sandbox, lesson, teacher):
    client = auth_client(teacher)
    client.patch(url(lesson), {"video_service_id": sandbox.add_video()})
    body = client.patch(url(lesson), {"video_service_id": ""}).json()
    assert (body["video_id"], body["video_service_id"], body["video_status"]) == (None, None, None)


def test_the_video_of_somebody_else_cannot_be_taken(sandbox, lesson, teacher):
    foreign = host_video(sandbox, owner=make_user()).get_current_asset()
    answer = auth_client(teacher).patch(url(lesson), {"title": "New", "video_service_id": foreign.host_id})
    assert answer.status_code == 400
    assert [(error["code"], error["attr"]) for error in answer.json()["errors"]] == [
        ("video_service_id_taken", "video_service_id")
    ]
    lesson.refresh_from_db()
    assert lesson.video is None
    assert lesson.title != "New"


def test_an_id_that_is_none_is_refused(sandbox, lesson, teacher):
    answer = auth_client(teacher).patch(url(lesson), {"video_service_id": "no id/at all"})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["code"] == "video_service_id_invalid"


def test_other_fields_are_left_alone(lesson, teacher):
    foreign = make_video()
    changes = {"id": 1, "video": str(foreign.pk), "video_id": str(foreign.pk)}
    assert auth_client(teacher).patch(url(lesson), changes).status_code == 200
    lesson.refresh_from_db()
    assert lesson.video_id is None


def test_a_lesson_moves_within_what_the_teacher_manages(lesson, teacher):
    own, foreign = make_part(course=make_course(instructors=[teacher])), make_part()
    client = auth_client(teacher)
    answer = client.patch(url(lesson), {"slug": "moved", "part": own.pk, "position": 3})
    assert (answer.status_code, answer.json()["slug"]) == (200, "moved")
    lesson.refresh_from_db()
    assert (lesson.slug, lesson.part, lesson.position) == ("moved", own, 3)
    answer = client.patch(url(lesson), {"part": foreign.pk})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["attr"] == "part"
    make_lesson(slug="taken")
    assert client.patch(url(lesson), {"slug": "taken"}).json()["errors"][0]["code"] == "unique"


def test_only_the_instructors_of_the_course_and_staff_may_change_a_lesson(lesson):
    student, stranger, other_teacher, visitor = make_user(), make_user(), make_user(), make_user(is_staff=True)
    enroll_student(student, lesson.part.course)
    make_course(instructors=[other_teacher])
    change = {"title": "Mine now"}
    assert APIClient().patch(url(lesson), change).status_code == 401
    assert auth_client(student).patch(url(lesson), change).status_code == 403
    for user in (stranger, other_teacher, visitor):
        assert auth_client(user).patch(url(lesson), change).status_code == 404
    lesson.refresh_from_db()
    assert lesson.title != "Mine now"
    assert auth_client(make_staff()).patch(url(lesson), change).status_code == 200


def test_the_whole_lesson_is_not_put(lesson, teacher):
    assert auth_client(teacher).put(url(lesson), {}).status_code == 405
