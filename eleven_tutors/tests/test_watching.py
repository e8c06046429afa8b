"""Watching through the project's own addresses, with its own rules, and what hostile people try there."""

import logging
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from courses.services import end_enrollment
from courses.tests.factories import enroll_student, make_course, make_lesson
from courses.tests.people import make_staff
from users.tests.factories import auth_client, make_user
from videos.models import PlaybackSession, SessionState, Viewer
from videos.tests.factories import host_video, make_video

OTP_PATH = r"/vdocipher/api/videos/\w+/otp"


@pytest.fixture
def lesson(db, sandbox):
    teacher = make_user()
    video = host_video(sandbox, access_level="entitled", owner=teacher)
    return make_lesson(course=make_course(instructors=[teacher]), video=video)


@pytest.fixture
def student(lesson):
    student = make_user(first_name="Ada", last_name="Byron")
    student.enrollment = enroll_student(student, lesson.part.course)
    return student


def read(client, lesson, *, device_id="", query="", **headers):
    return client.get(
        f"/api/courses/lessons/{lesson.slug}/{query}", headers={"X-Device-Id": device_id or str(uuid.uuid4())} | headers
    )


def start(client, lesson, device_id=""):
    return client.post(f"/api/videos/{lesson.video_id}/playback/", {"device_id": device_id or str(uuid.uuid4())})


def beat(client, session, seq=1, position=3.0):
    return client.post(session["heartbeat_url"], {"token": session["token"], "seq": seq, "position": position})


def end(client, session, token):
    return client.post(session["heartbeat_url"].replace("heartbeat/", "end/"), {"token": token})


def codes(answer) -> list[str]:
    return [error["code"] for error in answer.json()["errors"]]


def otps_asked(sandbox) -> int:
    return sum(call["path"].endswith("/otp") for call in sandbox.calls("vdocipher"))


def test_every_grant_is_a_row_whichever_door_it_came_through(sandbox, lesson, student):
    client = auth_client(student)
    read(client, lesson)
    start(client, lesson)
    client.post(f"/api/videos/{lesson.video_id}/otp/", {})
    rows = PlaybackSession.objects.filter(state__in=[SessionState.ISSUED, SessionState.ENDED])
    assert sorted(rows.values_list("door", flat=True)) == ["lesson", "playback", "playback"]
    assert otps_asked(sandbox) == rows.count()
    assert {row.viewer.user for row in rows} == {student}


def test_a_refused_start_asks_the_host_for_nothing(sandbox, lesson):
    stranger = auth_client(make_user())
    assert codes(start(stranger, lesson)) == ["not_enrolled"]
    assert read(stranger, lesson).status_code == 404
    assert otps_asked(sandbox) == 0
    assert not PlaybackSession.objects.exists()


def test_instructors_and_staff_are_neither_counted_nor_limited(lesson):
    for person in (lesson.part.course.instructors.get(), make_staff()):
        client = auth_client(person)
        assert [start(client, lesson).status_code for _ in range(5)] == [200] * 5
        assert read(client, lesson).json()["otp"]
    assert set(PlaybackSession.objects.values_list("is_counted", flat=True)) == {False}


def test_a_lesson_with_all_streams_in_use_comes_without_credentials(sandbox, lesson, student):
    client = auth_client(student)
    for _ in range(3):
        assert start(client, lesson).status_code == 200
    asked = otps_asked(sandbox)
    answer = read(client, lesson)
    body = answer.json()
    assert answer.status_code == 200
    assert (body["otp"], body["playbackInfo"], body["session"]) == (None, None, None)
    assert body["playback_error"]["code"] == "too_many_streams"
    assert otps_asked(sandbox) == asked
    refused = start(client, lesson)
    assert (refused.status_code, codes(refused)) == (409, ["too_many_streams"])
    assert len(refused.json()["sessions"]) == 3


def test_looking_ahead_mints_nothing(sandbox, lesson, student):
    client = auth_client(student)
    assert client.head(f"/api/courses/lessons/{lesson.slug}/").status_code == 200
    for purpose in ("prefetch", "prefetch;prerender", "Prefetch"):
        assert read(client, lesson, **{"Sec-Purpose": purpose}).json()["otp"] is None
    assert read(client, lesson, **{"Purpose": "prefetch"}).json()["otp"] is None
    assert read(client, lesson, query="?playback=false").json()["otp"] is None
    assert otps_asked(sandbox) == 0
    assert not PlaybackSession.objects.exists()


def test_a_session_obeys_no_token_of_another_person_or_purpose(lesson, student):
    other = make_user()
    enroll_student(other, lesson.part.course)
    mine = start(auth_client(student), lesson).json()["session"]
    other_client = auth_client(other)
    theirs = [start(other_client, lesson).json()["session"] for _ in range(3)]
    end_tokens = {row["id"]: row["end_token"] for row in start(other_client, lesson).json()["sessions"]}
    assert mine["id"] not in end_tokens
    for token in (theirs[0]["token"], *end_tokens.values(), "e30:e30:e30"):
        assert end(other_client, mine, token).status_code == 403
        assert beat(other_client, mine | {"token": token}).status_code == 403
    ended_by_beat = beat(other_client, theirs[0] | {"token": end_tokens[theirs[0]["id"]]})
    assert codes(ended_by_beat) == ["invalid_session_token"]
    assert PlaybackSession.objects.live().count() == 4


def test_a_copied_device_id_gives_no_second_stream(lesson, student):
    client = auth_client(student)
    first, second = (start(client, lesson, "one-device-id").json()["session"] for _ in range(2))
    assert codes(beat(client, first)) == ["session_ended"]
    assert beat(client, second).status_code == 200
    assert PlaybackSession.objects.leased(timezone.now()).count() == 1


def test_another_persons_device_id_touches_nothing_of_theirs(lesson, student):
    other = make_user()
    enroll_student(other, lesson.part.course)
    mine = start(auth_client(student), lesson, "one-device-id").json()["session"]
    assert start(auth_client(other), lesson, "one-device-id").status_code == 200
    assert beat(auth_client(student), mine).status_code == 200


def test_a_refund_stops_what_plays_and_what_was_only_granted(lesson, student):
    client = auth_client(student)
    playing, granted = start(client, lesson).json()["session"], read(client, lesson).json()["session"]
    end_enrollment(enrollment=student.enrollment, reason="refund")
    for session in (playing, granted):
        assert codes(beat(client, session)) == ["session_revoked"]
    assert codes(start(client, lesson)) == ["enrollment_ended"]
    assert read(client, lesson).status_code == 404


def test_a_video_of_somebody_else_cannot_be_pasted_into_ones_own_lesson(lesson):
    thief = make_user()
    own = make_lesson(course=make_course(instructors=[thief]), video=make_video(owner=thief))
    host_id = lesson.video.get_current_asset().host_id
    for pasted in (host_id, f" {host_id} "):
        answer = auth_client(thief).patch(f"/api/courses/lessons/{own.slug}/", {"video_service_id": pasted})
        assert (answer.status_code, codes(answer)) == (400, ["video_service_id_taken"])
    answer = auth_client(thief).patch(f"/api/courses/lessons/{own.slug}/", {"video_id": str(lesson.video_id)})
    own.refresh_from_db()
    assert own.video_id != lesson.video_id
    assert codes(start(auth_client(thief), lesson)) == ["not_enrolled"]


FAULTS = {
    "error": ({"status": 500}, "host_unavailable"),
    "rate limited": ({"status": 429, "headers": {"Retry-After": "17"}}, "host_unavailable"),
    "wrong key": ({"status": 401, "body": '{"message": "nope"}'}, "host_misconfigured"),
    "html": ({"body": "<html>Down</html>", "content_type": "text/html"}, "host_unavailable"),
    "no otp": ({"missing": ["otp"]}, "host_unavailable"),
    "no playback info": ({"missing": ["playbackInfo"]}, "host_unavailable"),
    "cut": ({"drop": True}, "host_unavailable"),
    "dripping": ({"drip": True}, "host_unavailable"),
    "slow": ({"delay_ms": 30000}, "host_unavailable"),
}


@pytest.mark.parametrize(("fault", "code"), FAULTS.values(), ids=FAULTS)
def test_a_host_in_trouble_costs_a_lesson_five_seconds_and_says_nothing_it_should_not(
    sandbox, lesson, student, caplog, fault, code
):
    caplog.set_level(logging.DEBUG)
    client = auth_client(student)
    sandbox.fault(service="vdocipher", path=OTP_PATH, times=0, **fault)
    started = time.monotonic()
    answer = read(client, lesson)
    assert time.monotonic() - started < 5
    body = answer.json()
    assert answer.status_code == 200
    assert (body["title"], body["otp"], body["playbackInfo"], body["session"]) == (lesson.title, None, None, None)
    assert body["playback_error"]["code"] == code
    assert body["playback_error"]["retry_after"] is None or body["playback_error"]["retry_after"] >= 1
    told = str(body["playback_error"])
    assert not [word for word in ("127.0.0.1", "vdocipher", "nope", "html", "Traceback") if word in told]
    row = PlaybackSession.objects.get()
    assert (row.state, row.lease_expires_at) == (SessionState.FAILED, None)
    assert "vdocipher" in caplog.text
    secrets = ("vdo_sandbox_11tutors", "Apisecret", "hook-token-for-tests", student.email, "Byron")
    assert not [secret for secret in secrets if secret in caplog.text]


def test_a_grant_writes_no_credential_into_the_log(sandbox, lesson, student, caplog):
    caplog.set_level(logging.DEBUG)
    grant = start(auth_client(student), lesson).json()
    beat(auth_client(student), grant["session"])
    for secret in (grant["vdocipher"]["otp"], grant["session"]["token"], "vdo_sandbox_11tutors", "Bearer"):
        assert secret not in caplog.text


@pytest.mark.django_db(transaction=True)
def test_eight_requests_at_once_against_a_limit_of_three_start_three_streams(lesson, student):
    barrier = threading.Barrier(8)

    def start_at_once(_):
        try:
            client = auth_client(student)
            barrier.wait(timeout=10)
            return start(client, lesson).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(start_at_once, range(8)))
    assert sorted(statuses) == [200] * 3 + [409] * 5
    assert PlaybackSession.objects.leased(timezone.now()).count() == 3
    assert Viewer.objects.filter(user=student).count() == 1


def cloudflare_lesson(sandbox, student):
    host_id = sandbox.cloudflare.add_video(title="Tides")
    asset = {"provider": "cloudflare", "host_id": host_id, "duration_s": 3600.0, "protection": "open"}
    lesson = make_lesson(video=make_video(asset=asset, access_level="entitled"))
    enroll_student(student, lesson.part.course)
    return lesson


@pytest.mark.django_db
def test_a_lesson_in_another_player_says_which_door_plays_it_and_opens_no_session(sandbox):
    student = make_user()
    lesson = cloudflare_lesson(sandbox, student)
    client = auth_client(student)
    for _ in range(7):
        body = client.get(f"/api/courses/lessons/{lesson.slug}/").json()
        assert (body["otp"], body["session"], body["playback_error"]["code"]) == (None, None, "no_otp")
    assert not PlaybackSession.objects.exists()
    answer = client.post(f"/api/videos/{lesson.video_id}/playback/", {"device_id": "a-device-of-mine"})
    assert answer.status_code == 200


@pytest.mark.django_db
def test_asking_another_player_for_an_otp_ends_nothing(sandbox):
    student = make_user()
    lesson = cloudflare_lesson(sandbox, student)
    client, device = auth_client(student), {"device_id": "a-device-of-mine"}
    assert client.post(f"/api/videos/{lesson.video_id}/playback/", device).status_code == 200
    answer = client.post(f"/api/videos/{lesson.video_id}/otp/", device)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "no_otp")
    assert PlaybackSession.objects.get().state == "issued"


@pytest.mark.django_db
def test_readings_that_nobody_used_block_for_five_minutes_at_most(sandbox):
    student = make_user()
    client = auth_client(student)
    for number in range(5):
        lesson = make_lesson(video=host_video(sandbox, access_level="entitled"))
        enroll_student(student, lesson.part.course)
        assert client.get(f"/api/courses/lessons/{lesson.slug}/").json()["otp"], number
    PlaybackSession.objects.update(
        created_at=timezone.now() - timedelta(seconds=301), expires_at=timezone.now() + timedelta(hours=2)
    )
    assert client.get(f"/api/courses/lessons/{lesson.slug}/").json()["otp"]
