"""What watching costs the database with the project's own rules and real bearer tokens, at two sizes of data."""

import uuid

import pytest

from courses.models import LessonResource
from courses.tests.counting import statements
from courses.tests.factories import enroll_student, make_course, make_lesson, make_part
from users.tests.factories import auth_client, make_user
from videos.hosted.tests.conftest import hosted_entry
from videos.hosted.tests.making import make_published_video
from videos.models import PlaybackSession, SessionDoor
from videos.services.playback import RequestContext, open_session
from videos.tests.factories import host_video, make_video

pytestmark = [pytest.mark.django_db, pytest.mark.parametrize("size", [1, 40])]


@pytest.fixture(autouse=True)
def _hosts(sandbox, settings):
    settings.VIDEO_PROVIDERS["local"] = {"BACKEND": "benchmarks.provider.LocalProvider"}
    rates = settings.REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"] | {"playback": "1000/min"}
    settings.REST_FRAMEWORK = settings.REST_FRAMEWORK | {"DEFAULT_THROTTLE_RATES": rates}


def grown(video, size):
    """A student who may watch `video`, and its lesson; `size` times as many lessons, rights, viewers and viewings."""
    student, part = make_user(), make_part()
    lesson = make_lesson(part=part, video=video)
    enroll_student(student, part.course)
    for number in range(size):
        other = make_lesson(part=part, video=make_video(asset={"provider": "local"}, access_level="entitled"))
        LessonResource.objects.create(lesson=lesson, title=f"Sheet {number}", url="https://example.test/sheet")
        enroll_student(student, make_course())
        viewer = make_user()
        enroll_student(viewer, part.course)
        for person, watched in ((viewer, video), (student, other.video), (student, video)):
            start(person, watched)
    return student, lesson


def start(person, video, door=SessionDoor.PLAYBACK, device_id="an-old-device"):
    return open_session(user=person, video=video, door=door, device_id=device_id, context=RequestContext()).session


def playback(client, video):
    answer = client.post(f"/api/videos/{video.pk}/playback/", {"device_id": str(uuid.uuid4())})
    assert answer.status_code == 200, answer.json()


def beat(client, session, seq):
    answer = client.post(session.heartbeat_url, {"token": session.token, "seq": seq, "position": 10.0 * seq})
    assert answer.status_code == 200, answer.json()


def test_a_grant_of_a_host_without_a_remote_call_costs_six(size):
    video = make_video(asset={"provider": "local"}, access_level="entitled")
    student, _ = grown(video, size)
    client = auth_client(student)
    assert statements(lambda: playback(client, video)) == 6
    assert PlaybackSession.objects.latest("pk").state == "issued"


def test_a_grant_of_our_own_host_costs_one_more_and_a_playlist_two(size, settings, tmp_path):
    settings.VIDEO_PROVIDERS["hosted"] = hosted_entry(tmp_path)
    _, video = make_published_video()
    student, _ = grown(video, size)
    client = auth_client(student)
    assert statements(lambda: playback(client, video)) == 7
    session = start(student, video)
    door = f"/api/videos/{video.pk}/manifest/?token={session.token}"
    master = client.get(door)["Location"]
    assert statements(lambda: client.get(master)) == 2


def test_a_grant_of_vdocipher_costs_seven(size, sandbox):
    video = host_video(sandbox, access_level="entitled")
    student, _ = grown(video, size)
    client = auth_client(student)
    assert statements(lambda: playback(client, video)) == 7


def test_a_heartbeat_costs_three_and_a_claim_at_most_eight(size):
    video = make_video(asset={"provider": "local"}, access_level="entitled")
    student, _ = grown(video, size)
    session = start(student, video, SessionDoor.LESSON, "a-new-device")
    client = auth_client(student)
    assert statements(lambda: beat(client, session, 1)) <= 8
    assert PlaybackSession.objects.get(public_id=session.public_id).lease_expires_at is not None
    assert statements(lambda: beat(client, session, 2)) == 3


def test_a_lesson_costs_six_and_with_credentials_ten(size):
    video = make_video(asset={"provider": "local"}, access_level="entitled")
    student, lesson = grown(video, size)
    client = auth_client(student)
    url = f"/api/courses/lessons/{lesson.slug}/"
    assert statements(lambda: client.get(f"{url}?playback=false")) == 6
    assert statements(lambda: client.get(url)) == 10
