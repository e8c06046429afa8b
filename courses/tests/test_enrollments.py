from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction

from courses.models import Enrollment
from courses.services import end_enrollment, enroll
from courses.tests.factories import enroll_student, make_course, make_lesson
from users.tests.factories import auth_client, make_user
from videos.models import PlaybackSession, SessionDoor, SessionState
from videos.services.playback import RequestContext, open_session
from videos.tests.factories import host_video


@pytest.mark.django_db
def test_the_first_right_wins_and_the_second_changes_nothing():
    student, course = make_user(), make_course()
    first, is_first_new = enroll(user=student, course=course, source="order", source_reference="one")
    second, is_second_new = enroll(user=student, course=course, source="order", source_reference="two")
    assert (is_first_new, is_second_new) == (True, False)
    assert first == second
    assert second.source_reference == "one"


@pytest.mark.django_db
def test_after_an_end_there_can_be_a_new_right():
    student, course = make_user(), make_course()
    old = enroll_student(student, course)
    assert end_enrollment(enrollment=old, reason="refund") is True
    assert end_enrollment(enrollment=old, reason="again") is False
    new, is_new = enroll(user=student, course=course, source="order")
    assert is_new
    assert new != old
    assert [(row.is_active, row.ended_reason) for row in Enrollment.objects.order_by("pk")] == [
        (False, "refund"),
        (True, ""),
    ]


@pytest.mark.django_db
def test_the_database_refuses_a_second_active_right_and_an_end_without_time():
    enrollment = enroll_student(make_user(), make_course())
    for wrong in (
        lambda: Enrollment.objects.create(user=enrollment.user, course=enrollment.course, source="staff"),
        lambda: Enrollment.objects.filter(pk=enrollment.pk).update(is_active=False),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            wrong()


@pytest.mark.django_db(transaction=True)
def test_eight_at_once_give_one_right():
    student, course = make_user(), make_course()
    barrier = Barrier(8)

    def give(_):
        barrier.wait()
        try:
            with transaction.atomic():
                return enroll(user=student, course=course, source="order")
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(give, range(8)))
    assert sum(is_new for _, is_new in results) == 1
    assert {enrollment.pk for enrollment, _ in results} == {Enrollment.objects.get().pk}


@pytest.mark.django_db
def test_the_end_of_a_right_stops_what_is_being_watched_by_it(sandbox):
    student, course = make_user(), make_course()
    lesson = make_lesson(course=course, video=host_video(sandbox))
    enrollment = enroll_student(student, course)
    grant = open_session(
        user=student,
        video=lesson.video,
        door=SessionDoor.PLAYBACK,
        device_id="tv",
        context=RequestContext(ip="127.0.0.1", user_agent="test"),
    )
    end_enrollment(enrollment=enrollment, reason="refund")
    session = PlaybackSession.objects.get(public_id=grant.session.public_id)
    assert (session.state, session.end_reason) == (SessionState.REVOKED, "refund")
    answer = auth_client(student).post(f"/api/videos/{lesson.video_id}/playback/", {"device_id": str(uuid4())})
    assert answer.status_code == 403
    assert answer.json()["errors"][0]["code"] == "enrollment_ended"


@pytest.mark.django_db
def test_a_video_that_something_else_opens_keeps_playing(sandbox):
    student, ended, kept = make_user(), make_course(), make_course()
    shared, preview, lost = host_video(sandbox), host_video(sandbox), host_video(sandbox)
    unlisted, named = host_video(sandbox, access_level="unlisted"), host_video(sandbox, subject=kept)
    for course, video, extra in (
        (ended, unlisted, {}),
        (ended, named, {}),
        (ended, shared, {}),
        (kept, shared, {}),
        (ended, preview, {"is_free_preview": True}),
        (ended, lost, {}),
    ):
        make_lesson(course=course, video=video, **extra)
    enroll_student(student, kept)
    enrollment = enroll_student(student, ended)
    for video in (shared, preview, lost, unlisted, named):
        context = RequestContext(ip="127.0.0.1", user_agent="test")
        open_session(user=student, video=video, door=SessionDoor.LESSON, device_id="tv", context=context)
    end_enrollment(enrollment=enrollment, reason="refund")
    states = dict(PlaybackSession.objects.values_list("video_id", "state"))
    playing = dict.fromkeys((shared.pk, preview.pk, unlisted.pk, named.pk), "issued")
    assert states == playing | {lost.pk: "revoked"}


@pytest.mark.django_db
def test_the_end_of_a_right_stops_a_video_that_no_lesson_shows(sandbox):
    student, course = make_user(), make_course()
    video = host_video(sandbox, subject=course, access_level="entitled")
    enrollment = enroll_student(student, course)
    open_session(
        user=student, video=video, door=SessionDoor.LESSON, device_id="tv", context=RequestContext(ip="127.0.0.1")
    )
    end_enrollment(enrollment=enrollment, reason="refund")
    assert PlaybackSession.objects.get().state == SessionState.REVOKED


@pytest.mark.django_db(transaction=True)
def test_an_end_that_is_rolled_back_ends_nothing(sandbox):
    student, course = make_user(), make_course()
    video = host_video(sandbox)
    make_lesson(course=course, video=video)
    enrollment = enroll_student(student, course)
    context = RequestContext(ip="127.0.0.1", user_agent="test")
    open_session(user=student, video=video, door=SessionDoor.LESSON, device_id="tv", context=context)
    with transaction.atomic():
        end_enrollment(enrollment=enrollment, reason="refund")
        transaction.set_rollback(True)
    assert Enrollment.objects.get().is_active
    assert PlaybackSession.objects.get().state == SessionState.ISSUED
