"""What a viewer has seen, on which device, and how the pages tell it."""

import uuid

import pytest

from courses.tests.factories import enroll_student
from eleven_tutors.tests.browser.site import Player, Site
from eleven_tutors.tests.browser.world import cloudflare_course, proofs_course
from users.tests.factories import auth_client, make_user
from videos.models import Asset, PlaybackSession, Video, VideoProgress, Viewer
from videos.tests.factories import make_video
from videos.tests.providers.test_bunny import options

pytestmark = pytest.mark.browser
LESSON = "/lessons/tides-and-the-moon"


@pytest.fixture
def student(site, sandbox):
    student = make_user()
    enroll_student(student, cloudflare_course(sandbox))
    site.sign_in(student)
    return student


def the_progress() -> VideoProgress:
    return VideoProgress.objects.get()


def jump_to(site: Site, seconds: float) -> None:
    site.browser.execute_script("document.querySelector('video').currentTime = arguments[0]", seconds)


def test_what_is_seen_is_kept_and_another_device_goes_on_at_the_same_second(site, student):
    site.open(LESSON)
    with Player(site) as player:
        player.wait_until_it_moves()
        jump_to(site, 30)
        site.wait_for(lambda: player.time_s() > 33, "three seconds after the jump")
        left_at = player.time_s()
    site.open("/")
    site.wait_for(lambda: the_progress().position_s >= 32, "the last report of the closed page")

    site.forget_everything()
    site.sign_in(student)
    site.open(LESSON)

    with Player(site) as player:
        resumed_at = site.wait_for(lambda: (now := player.time_s()) > 25 and now, "the video to resume", timeout_s=15)
    assert resumed_at == pytest.approx(left_at, abs=3)
    devices = set(PlaybackSession.objects.values_list("device_id", flat=True))
    assert len(devices) == 2
    stretches = the_progress().played
    assert len(stretches) >= 2, stretches
    assert all(end <= 14_000 or begin >= 29_000 for begin, end in stretches), "the jump is not played"


def test_the_page_names_what_is_missing_and_goes_there(hurried, site, student):
    site.open(LESSON)
    with Player(site) as player:
        player.wait_until_it_moves()
        jump_to(site, 20)
        site.wait_for(lambda: player.time_s() > 23, "three seconds after the jump")
    site.wait_for(lambda: the_progress().covered_ms > 2000, "the report")
    site.open("/")
    site.open(LESSON)

    site.see("Not seen yet")
    site.see("% seen")
    site.find("#missing .chip").click()

    with Player(site) as player:
        site.wait_for(lambda: player.time_s() < 15, "the video to go back to what is missing")


def test_a_lost_connection_loses_nothing_that_was_watched(hurried, site, student):
    site.browser.execute_cdp_cmd("Network.enable", {})
    site.open(LESSON)
    with Player(site) as player:
        player.wait_until_it_moves()
    site.wait_for(lambda: VideoProgress.objects.exists(), "the first report")
    site.browser.execute_cdp_cmd("Network.setBlockedURLs", {"urls": ["*/heartbeat/"]})
    with Player(site) as player:
        two_reports_s = 2 * hurried + 1
        until = player.time_s() + two_reports_s
        site.wait_for(lambda: player.time_s() > until, "two reports that cannot be sent")
    before = the_progress().covered_ms
    site.browser.execute_cdp_cmd("Network.setBlockedURLs", {"urls": []})
    site.browser.execute_script("dispatchEvent(new Event('online'))")

    site.wait_for(lambda: the_progress().covered_ms > before + two_reports_s * 900, "what was kept to arrive")
    [(begin, _)] = the_progress().played
    assert begin < 1000, "from the very beginning"


def test_a_completed_video_is_done_in_the_course_and_on_the_dashboard(hurried, site, student):
    Asset.objects.update(duration_s=4.0)
    site.open(LESSON)
    site.see("Completed", timeout_s=40)
    assert the_progress().completed_at is not None

    site.open("/dashboard")

    site.see("Completed")


def test_the_dashboard_lists_the_devices_and_ends_one(site, student):
    video = Video.objects.get()
    for _ in range(3):
        answer = auth_client(student).post(f"/api/videos/{video.pk}/playback/", {"device_id": str(uuid.uuid4())})
        assert answer.status_code == 200, answer.json()
    site.open(LESSON)
    site.see("Too many streams")

    site.open("/dashboard")
    site.see("Watching now")
    assert len(site.wait_for(lambda: site.visible("#my-devices li"), "the devices")) == 3
    site.find("#my-devices li button").click()
    site.wait_for(lambda: len(site.visible("#my-devices li")) == 2, "the ended one to go")

    site.open(LESSON)
    with Player(site) as player:
        player.wait_until_it_moves()


def test_a_like_is_kept(site, sandbox):
    student = make_user()
    enroll_student(student, proofs_course(sandbox))
    site.sign_in(student)
    site.open("/lessons/what-is-a-proof")
    with Player(site) as player:
        player.wait_until_it_moves()
    site.wait_for(lambda: VideoProgress.objects.exists(), "the first report")
    site.find("#like").click()
    site.wait_for(lambda: the_progress().liked_at is not None, "the like")
    site.open("/lessons/what-is-a-proof")
    site.wait_for(lambda: site.find("#like").get_attribute("aria-pressed") == "true", "the like after a reload")


def test_a_public_video_has_a_page_for_everybody_and_a_frame_for_other_sites(site, sandbox):
    host_id = sandbox.cloudflare.add_video(title="Open day")
    video = make_video(
        title="Open day",
        access_level="public",
        asset={"provider": "cloudflare", "host_id": host_id, "duration_s": 48.0},
    )
    site.open(f"/videos/{video.pk}")
    site.see("Open day")
    with Player(site) as player:
        player.wait_until_it_moves()
    site.wait_for(lambda: VideoProgress.objects.exists(), "the first report of somebody unknown")
    site.open(f"/videos/{video.pk}")
    with Player(site) as player:
        player.wait_until_it_moves()
    assert Viewer.objects.count() == 1, "the same browser is the same viewer"

    site.open(f"/videos/{video.pk}/embed")
    with Player(site) as player:
        player.wait_until_it_moves()


def test_a_video_for_members_tells_a_guest_to_sign_in(site, sandbox):
    host_id = sandbox.cloudflare.add_video(title="For members")
    video = make_video(access_level="members", asset={"provider": "cloudflare", "host_id": host_id})
    site.open(f"/videos/{video.pk}")
    site.see("Sign in to watch")


def test_what_is_seen_in_a_player_that_speaks_playerjs_is_kept_too(site, sandbox, settings):
    settings.VIDEO_PROVIDERS = settings.VIDEO_PROVIDERS | {
        "bunny": {"BACKEND": "videos.providers.bunny.BunnyStreamProvider", "OPTIONS": options(sandbox)}
    }
    host_id = sandbox.bunny.add_video(title="At Bunny")
    asset = {"provider": "bunny", "host_id": host_id, "duration_s": 48.0, "protection": "open"}
    video = make_video(title="At Bunny", access_level="public", asset=asset)
    site.open(f"/videos/{video.pk}")
    with Player(site) as player:
        site.wait_for(lambda: player.time_s() > 3, "three seconds")
    site.open("/")
    site.wait_for(lambda: VideoProgress.objects.exists() and the_progress().covered_ms > 2000, "what was played")


def test_a_frame_without_storage_plays_all_the_same(site, sandbox):
    host_id = sandbox.cloudflare.add_video(title="Open day")
    video = make_video(access_level="public", asset={"provider": "cloudflare", "host_id": host_id, "duration_s": 48.0})
    denied = "Object.defineProperty(window, 'localStorage', {get() { throw new DOMException('no', 'SecurityError') }})"
    script = site.browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": denied})
    try:
        site.open(f"/videos/{video.pk}/embed")
        with Player(site) as player:
            player.wait_until_it_moves()
        site.wait_for(lambda: VideoProgress.objects.exists(), "the first report")
    finally:
        site.browser.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", script)


def test_a_wait_counts_while_it_lasts_and_not_while_the_viewer_rests(site):
    site.open("/")
    told = site.browser.execute_async_script(
        """
        const done = arguments[0];
        import("/static/videos/player/quality.js").then(({ QualityWatch }) => {
          let now = 0;
          const watch = new QualityWatch(() => now), video = new EventTarget(), told = [];
          const happens = (name, at) => { now = at; video.dispatchEvent(new Event(name)); };
          watch.watch(video);
          happens("playing", 500);
          happens("waiting", 1000);
          now = 4000;
          told.push(watch.report());
          happens("pause", 5000);
          happens("playing", 600000);
          told.push(watch.report());
          done(told);
        });
        """
    )
    assert told == [
        {"startup_ms": 500, "stall_count": 1, "stall_ms": 3000, "error_count": 0},
        {"startup_ms": 500, "stall_count": 1, "stall_ms": 4000, "error_count": 0},
    ]
