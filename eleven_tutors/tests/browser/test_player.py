"""What the lesson page does when playing is refused, interrupted or late."""

import uuid

import pytest

from courses.services import end_enrollment
from courses.tests.factories import enroll_student
from eleven_tutors.tests.browser.site import Player
from eleven_tutors.tests.browser.world import proofs_course
from users.tests.factories import auth_client, make_user
from videos.models import Asset, AssetStatus, PlaybackSession, Video

pytestmark = pytest.mark.browser


@pytest.fixture
def student(site, sandbox):
    student = make_user()
    student.enrollment = enroll_student(student, proofs_course(sandbox))
    site.sign_in(student)
    return student


def the_video() -> Video:
    return Video.objects.get(title="What is a proof?")


def test_the_player_stops_when_the_right_to_watch_ends(hurried, site, student):
    site.open("/lessons/what-is-a-proof")
    with Player(site) as player:
        player.wait_until_it_moves()

    end_enrollment(enrollment=student.enrollment, reason="refunded")

    site.see("This video was stopped", timeout_s=30)
    assert not site.visible("iframe")


def test_a_viewer_with_all_streams_in_use_ends_one_and_watches(site, student):
    other_devices = auth_client(student)
    for _ in range(3):
        answer = other_devices.post(f"/api/videos/{the_video().pk}/playback/", {"device_id": str(uuid.uuid4())})
        assert answer.status_code == 200, answer.json()

    site.open("/lessons/what-is-a-proof")
    site.see("Too many streams")
    assert len(site.visible(".streams li")) == 3
    site.click("End it, watch here")

    with Player(site) as player:
        player.wait_until_it_moves()
    assert PlaybackSession.objects.filter(state="ended").count() == 1


HURRY = """const later = window.setTimeout;
window.asked = 0;
window.setTimeout = (act, ms, ...rest) =>
  later(() => { window.asked += ms === 10_000; act(...rest); }, ms === 10_000 ? 300 : ms);"""
HIDDEN = "Object.defineProperty(document, 'hidden', {configurable: true, get: () => true})"
SHOWN = "delete document.hidden; document.dispatchEvent(new Event('visibilitychange', {bubbles: true}))"


def test_a_video_that_is_not_ready_is_waited_for_by_those_who_look(site, student):
    Asset.objects.filter(video=the_video()).update(status=AssetStatus.PROCESSING)
    script = site.browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": f"{HURRY}{HIDDEN}"})

    site.open("/lessons/what-is-a-proof")
    site.browser.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", script)
    site.see("This video is being prepared")
    Asset.objects.filter(video=the_video()).update(status=AssetStatus.READY)
    site.wait_for(lambda: site.browser.execute_script("return window.asked"), "the end of the pause")
    site.see("This video is being prepared")
    assert not PlaybackSession.objects.exists(), "a page that nobody looks at claims no stream"
    site.browser.execute_script(SHOWN)

    with Player(site) as player:
        player.wait_until_it_moves()


def test_a_video_host_that_is_down_can_be_tried_again(site, student, sandbox):
    sandbox.fault(service="vdocipher", path="/videos", status=503, times=-1)

    site.open("/lessons/what-is-a-proof")
    site.see("The video service does not answer")
    site.see("A proof is an argument")
    sandbox.context.faults.clear()
    site.wait_for(lambda: site.find(".note button").is_enabled(), "the end of the pause", timeout_s=60)
    site.click("Try again")

    with Player(site) as player:
        player.wait_until_it_moves()


def test_a_reload_finds_its_own_stream_and_resumes(site, student):
    site.open("/lessons/what-is-a-proof")
    with Player(site) as player:
        player.wait_until_it_moves()
        site.browser.execute_script("document.querySelector('video').currentTime = 30")
        player.wait_until_it_moves()
    site.wait_for(lambda: PlaybackSession.objects.get().position_s >= 30, "the heartbeat after the jump")
    site.open("/lessons/what-is-a-proof")

    with Player(site) as player:
        site.wait_for(lambda: player.time_s() >= 30, "the video to resume where it was", timeout_s=15)
    site.wait_for(
        lambda: PlaybackSession.objects.filter(state="issued").count() == 1, "the first viewing to give its stream back"
    )


def test_a_lesson_without_a_video_says_so(site, student):
    the_video().lessons.update(video=None)

    site.open("/lessons/what-is-a-proof")

    site.see("This lesson has no video")


def test_leaving_the_lesson_gives_the_stream_back_and_keeps_the_place(site, student):
    site.open("/lessons/what-is-a-proof")
    with Player(site) as player:
        player.wait_until_it_moves()
        left_at = site.wait_for(lambda: (now := player.time_s()) > 3 and now, "three seconds, between two heartbeats")

    site.open("/")

    site.wait_for(lambda: PlaybackSession.objects.get().state == "ended", "the end of the viewing", timeout_s=10)
    session = PlaybackSession.objects.get()
    assert session.position_s == pytest.approx(left_at, abs=1.5)
