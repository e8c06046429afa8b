"""Teachers and staff write courses by API, as they can in the admin."""

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from courses.api.authoring_serializers import CourseWriteSerializer
from courses.models import Course, Lesson, LessonResource, Part
from courses.tests.factories import make_course, make_lesson, make_part, make_university
from courses.tests.people import make_instructor, make_staff
from users.tests.factories import auth_client
from videos.models import Video
from videos.tests.factories import host_video, make_video

pytestmark = pytest.mark.django_db
FILE = {"filename": "film.mp4", "size": 1_000_000, "content_type": "video/mp4"}


@pytest.fixture
def teacher():
    return make_instructor()


@pytest.fixture
def client(teacher):
    return auth_client(teacher)


@pytest.fixture
def course(teacher):
    return make_course(instructors=[teacher])


def errors(answer):
    return [(error["code"], error["attr"]) for error in answer.json()["errors"]]


def course_url(course, rest="") -> str:
    return f"/api/courses/courses/{course.slug}/{rest}"


def lesson_url(lesson, rest="") -> str:
    return f"/api/courses/lessons/{lesson.slug}/{rest}"


class TestCourses:
    def test_staff_make_a_course(self, teacher):
        body = {
            "title": "Sets",
            "slug": "sets",
            "university": make_university().slug,
            "price_minor": 4900,
            "currency": "usd",
            "instructors": [teacher.email],
        }
        answer = auth_client(make_staff()).post("/api/courses/courses/", body)
        assert answer.status_code == 201, answer.json()
        assert answer.json()["price_display"] == "$49.00"
        course = Course.objects.get(slug="sets")
        assert list(course.instructors.all()) == [teacher]
        assert not course.is_published

    def test_teachers_make_none(self, client, course):
        assert client.post("/api/courses/courses/", {"title": "Sets"}).status_code == 403

    def test_a_price_that_no_card_can_pay_is_refused(self, course):
        answer = auth_client(make_staff()).patch(course_url(course), {"price_minor": 1})
        assert (answer.status_code, errors(answer)) == (400, [("price_too_small", "price_minor")])

    def test_writing_the_content_leaves_terms_that_staff_change_meanwhile(self, course):
        data = CourseWriteSerializer(course, data={"summary": "New"}, partial=True)
        assert data.is_valid()
        staff = auth_client(make_staff())
        assert staff.patch(course_url(course), {"price_minor": 4900, "is_published": False}).status_code == 200
        data.save()
        course.refresh_from_db()
        assert (course.summary, course.price_minor, course.is_published) == ("New", 4900, False)

    def test_staff_name_the_teachers(self, course):
        other = make_instructor()
        answer = auth_client(make_staff()).patch(course_url(course), {"instructors": [other.email]})
        assert answer.status_code == 200
        assert list(course.instructors.all()) == [other]

    def test_teachers_write_the_content(self, client, course):
        changes = {"title": "New", "summary": "S", "description": "D", "level": "advanced", "language": "de"}
        answer = client.patch(course_url(course), changes)
        assert answer.status_code == 200
        assert {name: answer.json()[name] for name in changes} == changes

    @pytest.mark.parametrize(
        "terms", [{"price_minor": 0}, {"is_published": False}, {"slug": "mine"}, {"instructors": []}]
    )
    def test_the_terms_are_for_staff(self, client, course, terms):
        answer = client.patch(course_url(course), {"title": "New", **terms})
        assert (answer.status_code, errors(answer)) == (403, [("terms_for_staff", None)])
        course.refresh_from_db()
        assert (course.price_minor, course.is_published, course.title != "New") == (4900, True, True)
        assert auth_client(make_staff()).patch(course_url(course), terms).status_code == 200

    def test_a_change_is_noticed_by_those_who_ask_with_an_etag(self, client, course):
        first, second = make_lesson(course=course), make_lesson(course=course)
        calls = [
            lambda: client.patch(course_url(course), {"summary": "New"}),
            lambda: client.post(course_url(course, "parts/"), {"title": "Third"}),
            lambda: client.post(f"/api/courses/parts/{first.part_id}/lessons/", {"title": "One more"}),
            lambda: client.patch(f"/api/courses/parts/{first.part_id}/", {"title": "Renamed"}),
            lambda: client.post(course_url(course, "order/"), reversed_order(course)),
            lambda: client.delete(lesson_url(second)),
            lambda: client.delete(f"/api/courses/parts/{first.part_id}/"),
        ]
        for call in calls:
            etag = APIClient().get(course_url(course))["ETag"]
            assert call().status_code < 300
            assert APIClient(headers={"If-None-Match": etag}).get(course_url(course)).status_code == 200


def reversed_order(course):
    parts = [
        {"id": part.pk, "lessons": list(part.lessons.order_by("-position").values_list("slug", flat=True))}
        for part in course.parts.order_by("-position")
    ]
    return {"parts": parts}


class TestCurriculum:
    def test_parts_and_lessons_come_at_the_end(self, client, course):
        first = client.post(course_url(course, "parts/"), {"title": "One"}).json()
        second = client.post(course_url(course, "parts/"), {"title": "Two"}).json()
        for title in ("Sets & Maps", "Sets & Maps"):
            answer = client.post(f"/api/courses/parts/{second['id']}/lessons/", {"title": title, "is_exam": True})
            assert answer.status_code == 201
        shown = client.get(course_url(course)).json()["parts"]
        assert [part["id"] for part in shown] == [first["id"], second["id"]]
        slugs = [lesson["slug"] for lesson in shown[1]["lessons"]]
        assert slugs[0] == "sets-maps"
        assert slugs[1].startswith("sets-maps-")
        assert Lesson.objects.get(slug=slugs[1]).is_exam

    def test_a_taken_slug_is_refused(self, client, course):
        lesson = make_lesson(course=course)
        answer = client.post(f"/api/courses/parts/{lesson.part_id}/lessons/", {"title": "X", "slug": lesson.slug})
        assert (answer.status_code, errors(answer)) == (400, [("unique", "slug")])

    def test_a_whole_order_is_taken_at_once(self, client, course):
        one, two = make_part(course=course, position=5), make_part(course=course, position=6)
        a, b, c = make_lesson(part=one, slug="a"), make_lesson(part=one, slug="b"), make_lesson(part=two, slug="c")
        order = {"parts": [{"id": two.pk, "lessons": ["b", "c"]}, {"id": one.pk, "lessons": ["a"]}]}
        assert client.post(course_url(course, "order/"), order).status_code == 204
        shown = client.get(course_url(course)).json()["parts"]
        assert [[lesson["slug"] for lesson in part["lessons"]] for part in shown] == [["b", "c"], ["a"]]
        assert {a.pk, b.pk, c.pk} == set(Lesson.objects.filter(part__course=course).values_list("pk", flat=True))

    @pytest.mark.parametrize(
        ("change", "code"),
        [
            (lambda parts, foreign: parts[0]["lessons"].append(foreign.slug), ("order_foreign", "lessons")),
            (lambda parts, foreign: parts.append({"id": foreign.part_id, "lessons": []}), ("order_foreign", "parts")),
            (lambda parts, foreign: parts[0]["lessons"].append("a"), ("order_repeated", "lessons")),
            (lambda parts, foreign: parts.append(parts[0]), ("order_repeated", "parts")),
            (lambda parts, foreign: parts[0]["lessons"].remove("a"), ("order_incomplete", "lessons")),
            (lambda parts, foreign: parts.clear(), ("order_incomplete", "parts")),
        ],
    )
    def test_an_order_of_something_else_changes_nothing(self, client, course, change, code):
        part = make_part(course=course, position=7)
        make_lesson(part=part, slug="a", position=2)
        make_lesson(part=part, slug="b", position=1)
        foreign = make_lesson()
        parts = [{"id": part.pk, "lessons": ["a", "b"]}]
        change(parts, foreign)
        answer = client.post(course_url(course, "order/"), {"parts": parts})
        assert (answer.status_code, errors(answer)) == (400, [code])
        assert Lesson.objects.get(slug="a").position == 2
        assert Part.objects.get(pk=part.pk).position == 7

    def test_what_comes_after_the_largest_position_is_still_the_last(self, client, course):
        part = make_part(course=course, position=2**31 - 1)
        make_lesson(part=part, slug="a", position=2**31 - 1)
        added = client.post(course_url(course, "parts/"), {"title": "More"})
        lesson = client.post(f"/api/courses/parts/{part.pk}/lessons/", {"title": "B", "slug": "b"})
        assert (added.status_code, lesson.status_code) == (201, 201)
        assert list(course.parts.values_list("title", flat=True))[-1] == "More"
        assert [row.slug for row in part.lessons.all()] == ["a", "b"]

    def test_another_teachers_rows_are_out_of_reach(self, client, course):
        foreign = make_lesson(course=make_course(is_published=False))
        for call in (
            lambda: client.patch(course_url(foreign.part.course), {"title": "Mine"}),
            lambda: client.post(course_url(foreign.part.course, "parts/"), {"title": "Mine"}),
            lambda: client.post(course_url(foreign.part.course, "order/"), {"parts": []}),
            lambda: client.patch(f"/api/courses/parts/{foreign.part_id}/", {"title": "Mine"}),
            lambda: client.delete(f"/api/courses/parts/{foreign.part_id}/"),
            lambda: client.post(f"/api/courses/parts/{foreign.part_id}/lessons/", {"title": "Mine"}),
            lambda: client.patch(lesson_url(foreign), {"title": "Mine"}),
            lambda: client.delete(lesson_url(foreign)),
            lambda: client.post(lesson_url(foreign, "video/"), FILE),
            lambda: client.post(lesson_url(foreign, "resources/"), {"title": "X", "url": "https://x.example/"}),
        ):
            assert call().status_code == 404
        assert not Lesson.objects.filter(title="Mine").exists()


class TestResources:
    def test_an_address_and_a_file_are_added_and_taken_away(
        self, client, course, settings, tmp_path, django_capture_on_commit_callbacks
    ):
        settings.MEDIA_ROOT = tmp_path
        lesson = make_lesson(course=course)
        answer = client.post(lesson_url(lesson, "resources/"), {"title": "Notes", "url": "https://notes.example/"})
        assert (answer.status_code, answer.json()["address"]) == (201, "https://notes.example/")
        sheet = SimpleUploadedFile("sheet.txt", b"text", content_type="text/plain")
        answer = client.post(lesson_url(lesson, "resources/"), {"title": "Sheet", "file": sheet}, format="multipart")
        assert answer.status_code == 201
        stored = LessonResource.objects.get(title="Sheet").file.name
        assert default_storage.exists(stored)
        listed = client.get(lesson_url(lesson, "resources/")).json()["results"]
        assert [row["title"] for row in listed] == ["Notes", "Sheet"]
        with django_capture_on_commit_callbacks(execute=True):
            assert client.delete(lesson_url(lesson, f"resources/{answer.json()['id']}/")).status_code == 204
        assert not default_storage.exists(stored)

    @pytest.mark.parametrize(
        "body", [{"title": "X"}, {"title": "X", "url": "javascript:alert(1)"}, {"url": "https://x.example/"}]
    )
    def test_what_is_no_resource_is_refused(self, client, course, body):
        assert client.post(lesson_url(make_lesson(course=course), "resources/"), body).status_code == 400

    def test_a_file_that_a_browser_might_run_is_refused(self, client, course):
        page = SimpleUploadedFile("page.html", b"<script>", content_type="text/html")
        answer = client.post(
            lesson_url(make_lesson(course=course), "resources/"), {"title": "X", "file": page}, format="multipart"
        )
        assert errors(answer) == [("file_kind_refused", "file")]


class TestVideos:
    def test_a_paid_lesson_gets_a_ticket_of_the_host_with_drm(self, sandbox, client, course, teacher):
        lesson = make_lesson(course=course)
        answer = client.post(lesson_url(lesson, "video/"), FILE)
        assert answer.status_code == 201, answer.json()
        assert answer.json()["asset"]["provider"] == "vdocipher"
        assert answer.json()["upload"]["kind"] == "form_post"
        lesson.refresh_from_db()
        video = Video.objects.get()
        assert (lesson.video, video.subject, video.owner, video.protection) == (video, lesson, teacher, "drm")

    def test_a_free_preview_asks_for_no_protection_and_an_exam_of_a_free_course_does(self, sandbox, client, teacher):
        free = make_course(price_minor=0, instructors=[teacher])
        for lesson, protection in (
            (make_lesson(course=make_course(instructors=[teacher]), is_free_preview=True), ""),
            (make_lesson(course=free), ""),
            (make_lesson(course=free, is_exam=True), "drm"),
            (make_lesson(course=make_course(price_minor=0, included_in_tier="pro", instructors=[teacher])), "drm"),
        ):
            client.post(lesson_url(lesson, "video/"), FILE)
            lesson.refresh_from_db()
            assert lesson.video.protection == protection

    def test_the_teacher_has_the_last_word_on_protection(self, sandbox, client, course):
        lesson = make_lesson(course=course)
        client.post(lesson_url(lesson, "video/"), {**FILE, "protection": ""})
        lesson.refresh_from_db()
        assert lesson.video.protection == ""

    def test_another_file_keeps_the_video_and_plays_when_it_is_ready(self, sandbox, client, course, teacher):
        lesson = make_lesson(course=course, video=host_video(sandbox, owner=teacher))
        answer = client.post(lesson_url(lesson, "video/"), FILE)
        assert answer.status_code == 201
        assert answer.json()["asset"]["is_next"]
        assert answer.json()["video"]["status"] == "ready"
        lesson.refresh_from_db()
        assert (Video.objects.count(), lesson.video.assets.count()) == (1, 2)

    def test_a_shared_video_is_left_to_the_other_lesson(self, sandbox, client, course, teacher):
        shared = host_video(sandbox, owner=teacher)
        lesson, other = make_lesson(course=course, video=shared), make_lesson(course=course, video=shared)
        client.post(lesson_url(lesson, "video/"), FILE)
        lesson.refresh_from_db()
        other.refresh_from_db()
        assert other.video == shared
        assert lesson.video != shared

    def test_a_host_that_is_down_is_told_and_leaves_the_lesson_alone(self, sandbox, client, course):
        lesson = make_lesson(course=course)
        sandbox.fault(service="vdocipher", path="/videos", times=0, status=401)
        answer = client.post(lesson_url(lesson, "video/"), FILE)
        assert answer.status_code == 503
        lesson.refresh_from_db()
        assert lesson.video is None
        assert not Video.objects.exists()

    def test_a_video_that_i_manage_is_attached(self, client, course, teacher):
        lesson, video = make_lesson(course=course), make_video(owner=teacher)
        answer = client.post(lesson_url(lesson, "video/"), {"video_id": str(video.pk)})
        assert (answer.status_code, answer.json()["upload"]) == (200, None)
        lesson.refresh_from_db()
        assert lesson.video == video

    def test_that_of_somebody_else_is_not(self, client, course):
        lesson, video = make_lesson(course=course), make_video(owner=make_instructor())
        answer = client.post(lesson_url(lesson, "video/"), {"video_id": str(video.pk)})
        assert (answer.status_code, errors(answer)) == (400, [("video_unknown", "video_id")])

    def test_an_id_at_the_host_is_attached(self, sandbox, client, course):
        lesson, host_id = make_lesson(course=course), sandbox.add_video(title="Film", status="ready")
        answer = client.post(lesson_url(lesson, "video/"), {"video_service_id": host_id})
        assert (answer.status_code, answer.json()["video"]["video_service_id"]) == (200, host_id)

    @pytest.mark.parametrize(
        "body", [{}, {"filename": "a.mp4"}, {**FILE, "video_service_id": "x"}, {"video_service_id": "no id/"}]
    )
    def test_a_body_that_says_too_little_or_too_much_is_refused(self, sandbox, client, course, body):
        assert client.post(lesson_url(make_lesson(course=course), "video/"), body).status_code == 400
