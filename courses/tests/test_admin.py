import pytest
from django.contrib.messages import get_messages
from django.core.files.storage import default_storage
from django.test import Client
from django.urls import reverse

from courses.models import Course, Enrollment, Lesson, LessonResource, Part
from courses.tests.factories import enroll_student, make_course, make_lesson, make_part, make_university
from courses.tests.people import make_instructor, make_staff
from courses.tests.pictures import picture
from users.tests.factories import make_user
from videos.tests.factories import host_video

pytestmark = pytest.mark.django_db(transaction=True)


def client_of(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


def change(row) -> str:
    return reverse(f"admin:courses_{row._meta.model_name}_change", args=[row.pk])


def listing(model) -> str:
    return reverse(f"admin:courses_{model._meta.model_name}_changelist")


def inline(prefix: str, rows=(), **fields) -> dict[str, object]:
    data: dict[str, object] = {
        f"{prefix}-TOTAL_FORMS": len(rows),
        f"{prefix}-INITIAL_FORMS": sum("id" in row for row in rows),
    }
    for number, row in enumerate(rows):
        data |= {f"{prefix}-{number}-{name}": value for name, value in row.items()}
    return data


def lesson_form(lesson: Lesson, **overrides) -> dict[str, object]:
    fields = {
        "part": lesson.part_id,
        "title": lesson.title,
        "slug": lesson.slug,
        "description": "",
        "position": lesson.position,
        "video_service_id": "",
    }
    return fields | inline("resources") | overrides


@pytest.fixture
def teacher():
    return make_instructor()


@pytest.fixture
def own(teacher) -> Lesson:
    return make_lesson(course=make_course(title="Own course", instructors=[teacher]), title="Own lesson")


@pytest.fixture
def foreign() -> Lesson:
    return make_lesson(course=make_course(title="Foreign course"), title="Foreign lesson")


def rows_of(lesson: Lesson):
    enrollment = enroll_student(make_user(), lesson.part.course)
    return [lesson.part.course, lesson.part, lesson, enrollment]


def test_an_instructor_finds_and_opens_their_own_rows(teacher, own, foreign):
    client = client_of(teacher)
    foreign_rows = rows_of(foreign)
    for row, other in zip(rows_of(own), foreign_rows, strict=True):
        page = client.get(listing(type(row)))
        assert page.status_code == 200
        assert [found.pk for found in page.context["cl"].queryset] == [row.pk]
        assert client.get(change(row)).status_code == 200
        assert client.get(change(other)).status_code == 302
        assert client.post(change(other), {}).status_code in (302, 403)
        assert client.post(change(other).replace("change", "delete"), {"post": "yes"}).status_code in (302, 403)
    assert Lesson.objects.filter(pk=foreign.pk, title="Foreign lesson").exists()
    assert Course.objects.filter(title="Foreign course").exists()


def test_an_instructor_writes_the_content_but_not_the_terms(teacher, own):
    course = own.part.course
    other = make_university()
    data = {
        "title": "Better title",
        "summary": "Better",
        "description": "Better",
        "level": "advanced",
        "language": "de",
        "price_minor": 0,
        "currency": "eur",
        "university": other.pk,
        "slug": "stolen",
        "is_published": "",
        "instructors": [],
    } | inline("parts")
    assert client_of(teacher).post(change(course), data).status_code == 302
    before = course
    course = Course.objects.get(pk=course.pk)
    assert (course.title, course.level, course.language) == ("Better title", "advanced", "de")
    assert (course.price_minor, course.currency, course.slug) == (before.price_minor, before.currency, before.slug)
    assert course.university_id != other.pk
    assert course.is_published
    assert list(course.instructors.all()) == [teacher]


def test_staff_change_the_terms(own):
    course = own.part.course
    data = {
        "title": course.title,
        "slug": course.slug,
        "university": course.university_id,
        "level": "beginner",
        "language": "en",
        "price_minor": 9900,
        "currency": "eur",
        "instructors": [],
    } | inline("parts")
    client = client_of(make_staff())
    assert client.post(change(course), data).status_code == 302
    course.refresh_from_db()
    assert (course.price_minor, course.currency, course.is_published) == (9900, "eur", False)
    answer = client.post(change(course), data | {"price_minor": 7})
    assert "at least €0.50" in answer.content.decode()


def test_parts_and_lessons_are_ordered_by_dragging(teacher, own):
    client, course, part = client_of(teacher), own.part.course, own.part
    page = client.get(change(course)).content.decode()
    assert 'data-ordering-field="position"' in page
    second = make_part(course=course, title="Second", position=5)
    rows = [
        {"id": second.pk, "course": course.pk, "title": "Second", "position": 0},
        {"id": part.pk, "course": course.pk, "title": part.title, "position": 1},
    ]
    data = {"title": course.title, "level": "beginner", "language": "en"} | inline("parts", rows)
    assert client.post(change(course), data).status_code == 302
    assert list(course.parts.values_list("title", flat=True)) == ["Second", part.title]


def test_a_foreign_part_cannot_be_smuggled_into_a_form(teacher, own, foreign):
    client = client_of(teacher)
    stolen = [{"id": foreign.part.pk, "course": own.part.course.pk, "title": "Stolen", "position": 0}]
    data = {"title": "x", "level": "beginner", "language": "en"} | inline("parts", stolen)
    client.post(change(own.part.course), data)
    client.post(change(own), lesson_form(own, part=foreign.part.pk))
    client.post(change(own.part), {"title": "x", "course": foreign.part.course.pk, "position": 0} | inline("lessons"))
    assert Part.objects.get(pk=foreign.part.pk).title == foreign.part.title
    assert Lesson.objects.get(pk=own.pk).part_id == own.part_id
    assert Part.objects.get(pk=own.part_id).course_id == own.part.course_id


def test_the_choices_of_a_form_are_the_instructors_own(teacher, own, foreign):
    page = client_of(teacher).get(change(own)).content.decode()
    assert own.part.title in page
    assert foreign.part.title not in page.replace(own.part.title, "")
    part_page = client_of(teacher).get(change(own.part)).content.decode()
    assert "Foreign course" not in part_page


def test_an_id_from_the_hosts_dashboard_is_pasted_and_its_status_shown(sandbox, teacher, own):
    host_id = sandbox.add_video(title="Film", status="ready")
    client = client_of(teacher)
    assert client.post(change(own), lesson_form(own, video_service_id=f" {host_id} ")).status_code == 302
    own.refresh_from_db()
    assert own.video.get_current_asset().host_id == host_id
    assert own.video.owner == teacher
    page = client.get(change(own)).content.decode()
    assert host_id in page
    assert "ready" in page
    client.post(change(own), lesson_form(own, **{"initial-video_service_id": host_id}))
    own.refresh_from_db()
    assert own.video is None


@pytest.mark.parametrize("wanted", ["foreign", "not an id/"])
def test_an_id_that_cannot_be_used_is_said_beside_the_field(sandbox, teacher, own, wanted):
    foreign = host_video(sandbox, owner=make_user()).get_current_asset()
    data = lesson_form(own, title="Kept", video_service_id=foreign.host_id if wanted == "foreign" else wanted)
    answer = client_of(teacher).post(change(own), data)
    assert answer.status_code == 200
    assert "video_service_id" in answer.context["adminform"].form.errors
    own.refresh_from_db()
    assert own.video is None
    assert own.title == "Own lesson"


def test_a_new_lesson_is_made_with_its_video(sandbox, teacher, own):
    data = lesson_form(own, slug="brand-new", title="New", video_service_id=sandbox.add_video())
    assert client_of(teacher).post(reverse("admin:courses_lesson_add"), data).status_code == 302
    assert Lesson.objects.get(slug="brand-new").video.get_current_asset().status == "ready"


def test_instructors_look_at_enrollments_and_change_none(teacher, own):
    enrollment = enroll_student(make_user(), own.part.course)
    client = client_of(teacher)
    assert client.get(reverse("admin:courses_enrollment_add")).status_code == 403
    assert client.post(change(enrollment), {}).status_code == 403
    data = {"action": "end", "_selected_action": [enrollment.pk]}
    client.post(listing(Enrollment), data)
    enrollment.refresh_from_db()
    assert enrollment.is_active


def test_staff_give_and_end_rights_through_the_services(own):
    student, client = make_user(), client_of(make_staff())
    data = {"user": student.pk, "course": own.part.course.pk}
    for _ in range(2):
        assert client.post(reverse("admin:courses_enrollment_add"), data).status_code == 302
    enrollment = Enrollment.objects.get()
    assert (enrollment.user, enrollment.source) == (student, "staff")
    for expected in ("1 ended", "1 had ended before"):
        answer = client.post(listing(Enrollment), {"action": "end", "_selected_action": [enrollment.pk]})
        assert any(expected in str(message) for message in get_messages(answer.wsgi_request))
    enrollment.refresh_from_db()
    assert (enrollment.is_active, enrollment.ended_reason) == (False, "ended_by_staff")
    assert client.post(change(enrollment).replace("change", "delete"), {"post": "yes"}).status_code == 403


def test_universities_are_for_staff(teacher):
    university = make_university()
    page = reverse("admin:courses_university_change", args=[university.pk])
    data = {"name": "Changed", "slug": university.slug}
    assert client_of(teacher).post(page, data).status_code == 403
    assert client_of(make_staff()).post(page, data).status_code == 302
    university.refresh_from_db()
    assert university.name == "Changed"


def test_a_replaced_picture_goes_and_a_refused_one_is_said():
    university, client = make_university(logo=picture()), client_of(make_staff())
    page, old = reverse("admin:courses_university_change", args=[university.pk]), university.logo.name
    fields = {"name": university.name, "slug": university.slug}
    svg = picture("logo.svg")
    answer = client.post(page, fields | {"logo": svg})
    assert answer.status_code == 200
    assert "logo" in answer.context["adminform"].form.errors
    assert default_storage.exists(old)
    assert client.post(page, fields).status_code == 302
    assert default_storage.exists(old)
    assert client.post(page, fields | {"logo": picture("new.jpg", kind="JPEG")}).status_code == 302
    university.refresh_from_db()
    assert university.logo.name != old
    assert default_storage.exists(university.logo.name)
    assert not default_storage.exists(old)
    assert f'src="{university.logo.url}"' in client.get(page).content.decode()
    client.post(page.replace("change", "delete"), {"post": "yes"})
    assert not default_storage.exists(university.logo.name)


def test_the_file_of_a_resource_goes_with_it(teacher, own):
    client = client_of(teacher)
    upload = picture("notes.pdf")
    row = {"lesson": own.pk, "title": "Notes", "url": "", "file": upload}
    assert client.post(change(own), lesson_form(own) | inline("resources", [row])).status_code == 302
    resource = LessonResource.objects.get()
    assert default_storage.exists(resource.file.name)
    gone = {"id": resource.pk, "lesson": own.pk, "title": "Notes", "DELETE": "on"}
    assert client.post(change(own), lesson_form(own) | inline("resources", [gone])).status_code == 302
    assert not LessonResource.objects.exists()
    assert not default_storage.exists(resource.file.name)


def test_a_resource_is_an_address_or_a_file(teacher, own):
    row = {"lesson": own.pk, "title": "Notes", "url": ""}
    answer = client_of(teacher).post(change(own), lesson_form(own) | inline("resources", [row]))
    assert answer.status_code == 200
    assert not LessonResource.objects.exists()


def test_a_visitor_of_the_admin_without_a_group_sees_no_courses(own):
    client = client_of(make_user(is_staff=True))
    assert client.get(listing(Course)).status_code == 403
    assert client.get(change(own)).status_code == 403


def test_students_do_not_enter():
    assert client_of(make_user()).get(listing(Course)).status_code == 302


@pytest.mark.parametrize("field", ["is_superuser", "is_staff"])
def test_staff_raise_nobody_to_more_rights(field):
    staff, student = make_staff(), make_user()
    for user in (staff, student):
        page = reverse("admin:users_user_change", args=[user.pk])
        data = {"email": user.email, "username": user.username, "is_active": "on", field: "on", "first_name": "New"}
        assert client_of(staff).post(page, data).status_code == 302
        user.refresh_from_db()
        assert user.first_name == "New"
        assert not user.is_superuser
    assert not student.is_staff


def test_staff_do_not_touch_a_superuser():
    boss = make_user(is_staff=True, is_superuser=True)
    for name in ("admin:users_user_change", "admin:auth_user_password_change"):
        answer = client_of(make_staff()).post(reverse(name, args=[boss.pk]), {"email": "x@example.test"})
        assert answer.status_code == 403


def test_an_instructor_uploads_the_video_of_a_lesson_in_its_form(sandbox, teacher, own, foreign):
    client = client_of(teacher)
    file = {"filename": "film.mp4", "size": 1_000_000, "content_type": "video/mp4"}
    address = reverse("admin:courses_lesson_video", args=[own.pk])
    assert address in client.get(change(own)).content.decode()
    answer = client.post(address, file)
    assert answer.status_code == 200, answer.json()
    assert answer.json()["upload"]["kind"] == "form_post"
    own.refresh_from_db()
    assert (own.video.owner, own.video.protection) == (teacher, "drm")
    assert str(own.video_id) in client.get(change(own)).content.decode()
    before_the_upload = lesson_form(own, title="Renamed", **{"initial-video_service_id": ""})
    assert client.post(change(own), before_the_upload).status_code == 302
    video_id = own.video_id
    own.refresh_from_db()
    assert (own.title, own.video_id) == ("Renamed", video_id)
    assert client.post(address, {"filename": "film.mp4"}).status_code == 400
    assert client.get(address).status_code == 403
    assert client.post(reverse("admin:courses_lesson_video", args=[foreign.pk]), file).status_code == 404
    foreign.refresh_from_db()
    assert foreign.video is None
