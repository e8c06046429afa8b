"""News of a course: from the teacher's words to the students' inboxes, once each."""

import re
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.db.models import F
from django.test import Client
from django.urls import reverse

from courses.models import CourseUpdate, Enrollment
from courses.services import mails, updates
from courses.services.completion import mark_completed
from courses.services.updates import request_sending, send_due, send_update, unsubscribe_token
from courses.tests.factories import enroll_student, make_course, make_lesson, make_part, watch
from courses.tests.people import make_instructor
from mailing.models import OutgoingMail
from users.tests.factories import auth_client, make_user
from videos.tests.factories import make_video

pytestmark = pytest.mark.django_db(transaction=True)
NEWS = {"subject": "A new chapter", "body": "Chapter 4 is here.\n\nRead <it> at https://notes.example/4"}


@pytest.fixture(autouse=True)
def _instructors_exist(transactional_db):
    # The rows that migrations made are gone after a test that truncates the tables.
    Group.objects.get_or_create(name="Instructors")


@pytest.fixture
def teacher():
    return make_user(first_name="Jonas", last_name="Weber")


@pytest.fixture
def course(teacher):
    return make_course(title="Introduction to Proofs", slug="proofs", instructors=[teacher])


def url(course) -> str:
    return f"/api/courses/courses/{course.slug}/updates/"


def draft(course, **overrides) -> CourseUpdate:
    return CourseUpdate.objects.create(**{"course": course, **NEWS} | overrides)


def waiting(course, students):
    """A draft whose sending was asked for, and that no worker has taken up yet."""
    for _ in range(students):
        enroll_student(make_user(), course)
    update = draft(course)
    CourseUpdate.objects.filter(pk=update.pk).update(requested_at=update.created_at)
    return update


def test_news_reach_the_student_with_where_they_left_off(sandbox, settings, course, teacher):
    settings.FRONTEND_URL = "https://school.test"
    settings.PUBLIC_URL = "https://api.school.test"
    student = make_user(first_name="Ada", email="ada@example.test")
    enroll_student(student, course)
    part = make_part(course=course)
    lessons = [make_lesson(part=part, title=f"Lesson {n}", slug=f"lesson-{n}", video=make_video()) for n in range(4)]
    mark_completed(user=student, lesson=lessons[0])
    watch(student, lessons[2], position_s=33)
    answer = auth_client(teacher).post(url(course), NEWS)
    assert answer.status_code == 201, answer.json()
    assert answer.json()["recipient_count"] == 1
    assert answer.json()["sent_at"]
    [mail] = sandbox.messages()
    assert (mail["to"], mail["subject"]) == (["ada@example.test"], "Introduction to Proofs: A new chapter")
    assert "You have done 25 % of the course" in mail["text"]
    assert "Lesson 2, at 0:33" in mail["text"]
    assert "Continue: https://school.test/lessons/lesson-2" in mail["text"]
    assert "Read <it> at https://notes.example/4" in mail["text"]
    assert 'Read &lt;it&gt; at <a href="https://notes.example/4"' in mail["html"]
    assert 'href="https://school.test/lessons/lesson-2"' in mail["html"]
    assert "https://api.school.test/api/courses/updates/unsubscribe/" in mail["text"]


def test_only_those_get_it_who_have_a_right_an_address_and_the_wish(sandbox, course, teacher):
    wanted = make_user()
    enroll_student(wanted, course)
    enroll_student(make_user(), course, wants_updates=False)
    enroll_student(make_user(email_verified_at=None), course)
    enroll_student(make_user(is_active=False), course)
    enroll_student(make_user(), make_course())
    former = enroll_student(make_user(), course)
    former.is_active, former.ended_at = False, former.started_at
    former.save()
    auth_client(teacher).post(url(course), NEWS)
    assert [mail["to"] for mail in sandbox.messages()] == [[wanted.email]]


def test_a_second_click_sends_nothing_more(sandbox, course, teacher):
    enroll_student(make_user(), course)
    client = auth_client(teacher)
    first, second = client.post(url(course), NEWS), client.post(url(course), NEWS)
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json()["id"] == second.json()["id"]
    assert len(sandbox.messages()) == 1
    assert client.post(url(course), {**NEWS, "subject": "More"}).status_code == 201
    assert [row["subject"] for row in client.get(url(course)).json()["results"]] == ["More", "A new chapter"]


def test_a_process_that_dies_between_batches_is_taken_up_where_it_stopped(sandbox, course, monkeypatch):
    monkeypatch.setattr(updates, "BATCH", 2)
    update = waiting(course, students=5)
    assert updates._make_batch(update.pk) == 2
    update.refresh_from_db()
    assert (update.recipient_count, update.sent_at) == (2, None)
    call_command("send_course_updates")
    update.refresh_from_db()
    assert (update.recipient_count, update.sent_at is not None) == (5, True)
    assert len({mail["to"][0] for mail in sandbox.messages()}) == len(sandbox.messages()) == 5


def test_a_mark_that_was_lost_makes_no_mail_twice(sandbox, course):
    update = waiting(course, students=3)
    assert send_update(update.pk) == 3
    CourseUpdate.objects.filter(pk=update.pk).update(sent_at=None, queued_up_to=0)
    assert send_due() == 0
    assert OutgoingMail.objects.count() == len(sandbox.messages()) == 3


@pytest.mark.parametrize("students", [0, 4])
def test_full_batches_come_to_an_end(sandbox, course, students, monkeypatch):
    monkeypatch.setattr(updates, "BATCH", 2)
    assert send_update(waiting(course, students=students).pk) == students


def test_one_click_stops_the_news_and_opening_the_address_does_not(sandbox, course, teacher):
    enrollment = enroll_student(make_user(), course)
    auth_client(teacher).post(url(course), NEWS)
    address = re.search(r"https?://\S+/unsubscribe/\S+", sandbox.messages()[0]["text"]).group()
    browser = Client(enforce_csrf_checks=True)
    path = urlsplit(address).path
    assert "Stop the news" in browser.get(path).content.decode()
    enrollment.refresh_from_db()
    assert enrollment.wants_updates
    done = browser.post(path, "List-Unsubscribe=One-Click", content_type="application/x-www-form-urlencoded")
    assert done.status_code == 200
    assert course.title in done.content.decode()
    enrollment.refresh_from_db()
    assert not enrollment.wants_updates
    auth_client(teacher).post(url(course), {**NEWS, "subject": "More"})
    assert len(sandbox.messages()) == 1


def test_the_mail_tells_mail_programs_how_to_stop_it(course, settings):
    settings.PUBLIC_URL = "https://api.school.test"
    enrollment = enroll_student(make_user(), course)
    message = updates_message(course, enrollment)
    address = f"https://api.school.test/api/courses/updates/unsubscribe/{unsubscribe_token(enrollment)}/"
    assert message.headers == {
        "List-Unsubscribe": f"<{address}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }


def updates_message(course, enrollment):
    reference = {"update_id": draft(course).pk, "enrollment_id": enrollment.pk}
    return mails.render_course_update(reference)


def test_news_for_somebody_who_left_meanwhile_are_not_sent(course):
    enrollment = enroll_student(make_user(), course)
    Enrollment.objects.update(wants_updates=False)
    assert updates_message(course, enrollment) is None


@pytest.mark.parametrize("token", ["1", "1:forged", "x:y", ":"])
def test_a_forged_address_opens_nothing(course, token):
    enroll_student(make_user(), course)
    assert Client().post(f"/api/courses/updates/unsubscribe/{token}/").status_code == 404
    assert Enrollment.objects.get().wants_updates


def test_a_student_chooses_in_their_list_too(course):
    student = make_user()
    enroll_student(student, course)
    client = auth_client(student)
    answer = client.patch(f"/api/courses/enrollments/{course.slug}/", {"wants_updates": False})
    assert (answer.status_code, answer.json()["wants_updates"]) == (200, False)
    assert client.get("/api/courses/enrollments/").json()["results"][0]["wants_updates"] is False


def test_an_instructor_writes_a_draft_in_the_admin_and_sends_it_once(sandbox, course):
    call_command("migrate", verbosity=0)
    instructor = make_instructor()
    course.instructors.add(instructor)
    enroll_student(make_user(), course)
    browser = Client()
    browser.force_login(instructor)
    form = {"course": course.pk, **NEWS}
    assert browser.post(reverse("admin:courses_courseupdate_add"), form).status_code == 302
    update = CourseUpdate.objects.get()
    assert (update.author, update.requested_at, sandbox.messages()) == (instructor, None, [])
    foreign = draft(make_course())
    listing = reverse("admin:courses_courseupdate_changelist")
    action = {"action": "send", "_selected_action": [update.pk, foreign.pk]}
    for _ in range(2):
        assert browser.post(listing, action).status_code == 302
    assert len(sandbox.messages()) == 1
    foreign.refresh_from_db()
    assert foreign.requested_at is None
    page = browser.get(reverse("admin:courses_courseupdate_change", args=[update.pk])).content.decode()
    assert 'name="body"' not in page
    other = make_course()
    assert browser.post(reverse("admin:courses_courseupdate_add"), {**form, "course": other.pk}).status_code == 200
    assert not other.updates.exists()


def test_a_day_has_room_for_five_news_of_a_course_by_whatever_door(sandbox, course, teacher):
    enroll_student(make_user(), course)
    written = [auth_client(teacher).post(url(course), NEWS | {"subject": f"News {number}"}) for number in range(6)]
    assert [answer.status_code for answer in written] == [201] * 5 + [400]
    assert written[-1].json()["errors"][0]["code"] == "too_many_updates"
    assert CourseUpdate.objects.count() == OutgoingMail.objects.count() == 5
    call_command("migrate", verbosity=0)
    course.instructors.add(instructor := make_instructor())
    browser = Client()
    browser.force_login(instructor)
    sixth = draft(course)
    page = browser.post(
        reverse("admin:courses_courseupdate_changelist"),
        {"action": "send", "_selected_action": [sixth.pk]},
        follow=True,
    )
    assert "is not sent: A course sends its students at most 5 news a day." in page.content.decode()
    assert CourseUpdate.objects.get(pk=sixth.pk).requested_at is None
    CourseUpdate.objects.update(requested_at=F("requested_at") - timedelta(hours=25))
    assert request_sending(sixth)


def test_asking_twice_sends_once(course):
    update = draft(course)
    assert request_sending(update)
    assert not request_sending(CourseUpdate.objects.get())
