import pytest
from rest_framework.test import APIClient

from courses.models import Course
from courses.services import end_enrollment
from courses.services.completion import mark_completed
from courses.tests.counting import statements
from courses.tests.factories import enroll_student, make_course, make_lesson, make_part, watch
from courses.tests.people import make_staff
from users.tests.factories import auth_client, make_user
from videos.tests.factories import make_asset, make_video

pytestmark = pytest.mark.django_db


def url(course: Course) -> str:
    return f"/api/courses/courses/{course.slug}/"


def outline(answer) -> dict[str, dict]:
    return {lesson["slug"]: lesson for part in answer.json()["parts"] for lesson in part["lessons"]}


def make_watched_lesson(course, **overrides):
    asset = make_asset(duration_s=321.5)
    return make_lesson(course=course, video=asset.video, **overrides)


def test_the_curriculum_comes_in_order_with_durations_and_locks():
    course = make_course(description="Long.")
    second, first = make_part(course=course, position=2, title="Two"), make_part(course=course, position=1, title="One")
    make_lesson(part=second, slug="last", position=0)
    make_lesson(part=first, slug="b", position=5, is_exam=True)
    make_lesson(part=first, slug="a", position=1, is_free_preview=True, video=make_asset(duration_s=321.5).video)
    body = APIClient().get(url(course)).json()
    assert [part["title"] for part in body["parts"]] == ["One", "Two"]
    assert body["parts"][0]["lessons"] == [
        {
            "slug": "a",
            "title": body["parts"][0]["lessons"][0]["title"],
            "is_free_preview": True,
            "is_exam": False,
            "duration": 321.5,
            "has_video": True,
            "is_locked": True,
            "my_position": None,
            "my_coverage": None,
            "is_completed": False,
        },
        body["parts"][0]["lessons"][1],
    ]
    assert body["first_lesson_slug"] == "a"
    assert body["description"] == "Long."
    assert body["my_progress"] is None
    assert body["lesson_count"] == 3


def test_what_is_locked_depends_on_who_asks():
    teacher, student, stranger, former = make_user(), make_user(), make_user(), make_user()
    course = make_course(instructors=[teacher])
    make_lesson(course=course, slug="preview", is_free_preview=True)
    make_lesson(course=course, slug="paid")
    enroll_student(student, course)

    end_enrollment(enrollment=enroll_student(former, course), reason="refund")

    def locked(client):
        return [slug for slug, lesson in outline(client.get(url(course))).items() if lesson["is_locked"]]

    assert locked(APIClient()) == ["preview", "paid"]
    assert locked(auth_client(stranger)) == ["paid"]
    assert locked(auth_client(former)) == ["paid"]
    assert locked(auth_client(student)) == []
    assert locked(auth_client(teacher)) == []
    assert locked(auth_client(make_staff())) == []


def test_an_unpublished_course_exists_for_those_who_attend_teach_or_run_it():
    teacher, student, former = make_user(), make_user(), make_user()
    course = make_course(instructors=[teacher], is_published=False)
    enroll_student(student, course)

    end_enrollment(enrollment=enroll_student(former, course), reason="refund")
    for client in (APIClient(), auth_client(make_user()), auth_client(former), auth_client(make_user(is_staff=True))):
        assert client.get(url(course)).status_code == 404
    for user in (teacher, student, make_staff()):
        assert auth_client(user).get(url(course)).status_code == 200


def test_my_own_position_is_told_to_me_alone():
    course = make_course()
    lesson = make_watched_lesson(course)
    student, other = make_user(), make_user()

    for user, position in ((student, 12.5), (other, 99)):
        watch(user, lesson, position_s=position, duration_ms=321_500)
    for user in (student, other):
        enroll_student(user, course)
    assert outline(auth_client(student).get(url(course)))[lesson.slug]["my_position"] == 12.5
    assert outline(auth_client(other).get(url(course)))[lesson.slug]["my_position"] == 99
    assert outline(APIClient().get(url(course)))[lesson.slug]["my_position"] is None


@pytest.mark.parametrize("size", [4, 200])
def test_a_course_costs_six_statements_at_any_size(size):
    course = make_course(instructors=[make_user()])
    parts = [make_part(course=course) for _ in range(max(1, size // 20))]
    student = make_user()
    for number in range(size):
        lesson = make_lesson(part=parts[number % len(parts)], video=make_asset().video)
        watch(student, lesson, position_s=1)
        mark_completed(user=student, lesson=lesson)
    enroll_student(student, course)
    client = auth_client(student)
    assert statements(lambda: client.get(url(course))) <= 6
    assert statements(lambda: APIClient().get(url(course))) <= 6


@pytest.mark.parametrize(
    "change",
    [
        lambda lesson: lesson.part.delete(),
        lambda lesson: lesson.video.assets.update(duration_s=7),
        lambda lesson: make_part(course=lesson.part.course),
        lambda lesson: lesson.part.course.save(),
    ],
)
def test_whatever_the_page_shows_changes_the_etag(change):
    course = make_course()
    lesson = make_watched_lesson(course)
    etag = APIClient().get(url(course))["ETag"]
    assert APIClient(headers={"If-None-Match": etag}).get(url(course)).status_code == 304
    change(lesson)
    assert APIClient(headers={"If-None-Match": etag}).get(url(course)).status_code == 200


def test_another_course_leaves_the_etag_alone_and_304_is_one_statement():
    course = make_course()
    make_watched_lesson(course)
    etag = APIClient().get(url(course))["ETag"]
    make_watched_lesson(make_course())
    client = APIClient(headers={"If-None-Match": etag})
    assert statements(lambda: client.get(url(course))) == 1
    assert client.get(url(course)).status_code == 304


def test_an_etag_of_a_course_that_was_hidden_opens_nothing():
    course = make_course()
    etag = APIClient().get(url(course))["ETag"]
    Course.objects.filter(pk=course.pk).update(is_published=False)
    assert APIClient(headers={"If-None-Match": etag}).get(url(course)).status_code == 404
    hidden_etag = APIClient().get(url(course)).headers.get("ETag", '"none"')
    assert APIClient(headers={"If-None-Match": hidden_etag}).get(url(course)).status_code == 404


def test_yen_have_no_decimals():
    course = make_course(price_minor=4900, currency="jpy")
    assert APIClient().get(url(course)).json()["price_display"] == "¥4,900"


def test_a_video_without_a_copy_has_no_duration():
    course = make_course()
    lesson = make_lesson(course=course, video=make_video(asset=False))
    shown = outline(APIClient().get(url(course)))[lesson.slug]
    assert (shown["has_video"], shown["duration"]) == (True, None)
