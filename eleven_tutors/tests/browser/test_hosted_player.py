"""Our own host's videos in a real browser: encrypted, licensed, decoded, and every reason why not."""

import uuid
from pathlib import Path

import pytest
from django.conf import settings as project
from django.test import Client
from selenium.webdriver import ActionChains, Keys

from courses.services import end_enrollment
from courses.tests.factories import enroll_student
from eleven_tutors.tests.browser.films import film, film_lesson
from eleven_tutors.tests.browser.picture import Picture
from users.tests.factories import auth_client, make_user
from videos import conf
from videos.hosted.models import Licence, Scheme
from videos.hosted.services.content_keys import keys
from videos.hosted.tests.conftest import hosted_entry
from videos.models import AssetStatus, PlaybackSession, Video, VideoProgress
from videos.services.captions import put_caption
from videos.tests.factories import make_video

pytestmark = pytest.mark.browser
VENDOR = Path(__file__).parent / "vendor"


@pytest.fixture
def picture(site, settings, tmp_path):
    settings.VIDEO_PROVIDERS = settings.VIDEO_PROVIDERS | {"hosted": hosted_entry(tmp_path)}
    return Picture(site)


@pytest.fixture
def student(site, picture, monkeypatch):
    monkeypatch.setattr(conf, "HEARTBEAT_S", 1)
    student = make_user(email="noor@example.test")
    student.enrollment = enroll_student(student, film_lesson().part.course)
    site.sign_in(student)
    return student


CHAPTERS = (
    b"WEBVTT\n\n00:00.000 --> 00:04.000\nCalm\n\n00:04.000 --> 00:08.000\n<b>Foam</b> &amp; &lt;img src=x onerror=x>\n"
)
COLLECT = """window.violations = [];
document.addEventListener("securitypolicyviolation", (event) => window.violations.push(event.violatedDirective));"""


def test_an_encrypted_film_plays_with_its_key_and_obeys_the_viewer(site, picture, student):
    put_caption(video=Video.objects.get(), language="es", label="Español", body=CHAPTERS)
    script = site.browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": COLLECT})
    site.open("/lessons/waves")
    site.browser.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", script)
    picture.wait_until_decoded()
    assert picture.ask("Boolean(video.mediaKeys)"), "decrypted by the browser's key system"
    assert Licence.objects.get().result == "issued", "one licence, for picture and sound"
    picture.press("k")
    picture.wait_for("video.paused")
    site.see("Encrypted")
    assert picture.complaints_of_axe() == []

    picture.press("5")
    picture.wait_for("Math.abs(video.currentTime - 4) < 0.2 && !video.seeking")
    picture.press("j")
    picture.wait_for("video.currentTime === 0")
    picture.press("c")
    picture.wait_for("[...video.textTracks].some(({mode, cues}) => mode === 'showing' && cues?.length === 1)")
    picture.press("m")
    picture.press(">")
    assert picture.ask("[video.muted, video.playbackRate]") == [True, 1.25]
    picture.ask("root.querySelector('.volume').focus()")
    ActionChains(site.browser).send_keys(Keys.ARROW_RIGHT).perform()
    assert picture.ask("[video.volume, video.currentTime, video.paused]") == [0.05, 0, True], "its own keys"
    assert picture.ask("[innerWidth - document.documentElement.clientWidth, scrollY]")[1] == 0, "keys scroll no page"

    picture.choose("Quality", "90p")
    picture.press("k")
    picture.wait_for("video.videoHeight === 90 && video.currentTime > 0.3")
    picture.choose("Quality", "180p")
    picture.wait_for("video.videoHeight === 180")

    picture.hover_over_the_timeline()
    picture.wait_for("root.querySelector('.sprite').style.backgroundImage.includes('sprite.jpg')")
    assert picture.ask("root.querySelector('.watermark').textContent")
    site.browser.execute_script("arguments[0].remove()", picture.find(".watermark"))
    picture.wait_for("root.querySelector('.watermark')?.textContent")
    assert picture.ask("!video.dispatchEvent(new MouseEvent('contextmenu', {bubbles: true, cancelable: true}))")
    site.wait_for(lambda: VideoProgress.objects.get().covered_ms > 1000, "what was seen to be kept")
    check_chapters(picture)
    check_a_viewer_who_rests(picture)
    site.browser.execute_script("document.documentElement.dir = 'rtl'")
    assert picture.ask("getComputedStyle(root.querySelector('.seek')).direction") == "ltr", "time runs to the right"
    assert site.browser.execute_script("return window.violations") == []
    assert site.complaints() == []


def check_chapters(picture):
    picture.ask("player.setAttribute('chapters', video.querySelector('[srclang=es]').src), player.start()")
    picture.wait_for("player.state === 'ready' && root.querySelectorAll('.marks i').length === 1")
    picture.choose("Chapters", "Foam & <img src=x onerror=x>")
    picture.wait_for("video.currentTime >= 4 && !video.seeking")


def check_a_viewer_who_rests(picture):
    """A picture that is fetched anew, here for a page that came back, stays paused where its viewer left it."""
    picture.press("k")
    picture.wait_for("video.paused")
    picture.ask("(window.former = video).currentTime = 6")
    picture.ask("dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}))")
    picture.wait_for("video !== window.former && player.state === 'ready' && Math.abs(video.currentTime - 6) < 0.3")
    assert picture.ask("[video.paused, root.activeElement?.title]") == [True, "Play"]
    picture.press("k")
    picture.wait_for("!video.paused && video.currentTime > 6.2")


def test_the_picture_goes_within_ten_seconds_of_the_right(site, picture, student):
    site.open("/lessons/waves")
    picture.wait_until_decoded(frames=5, seconds=0.2)

    end_enrollment(enrollment=student.enrollment, reason="refunded")

    site.see("This video was stopped", timeout_s=10)
    assert picture.ask("root.querySelector('video')") is None


def test_what_has_no_key_system_plays_in_another_sites_frame_without_storage(site, picture):
    """HLS whose keys come by the playlist, and what is not encrypted at all."""
    denied = "Object.defineProperty(window, 'localStorage', {get() { throw new DOMException('no', 'SecurityError') }})"
    script = site.browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": denied})
    try:
        site.open(f"/videos/embed/{film(scheme=Scheme.AES128)[1].pk}")
        picture.wait_until_decoded()
        assert Licence.objects.get().result == "issued"
        assert picture.ask("root.querySelector('.protection-label').textContent") == "Encrypted"
        check_a_finger_shows_what_it_may_press(site, picture)
        picture.play(film(scheme=Scheme.OPEN)[1].pk, start=1)
        picture.wait_until_decoded(seconds=2)
        assert picture.ask("root.querySelector('.protection-label').textContent") == "Open"
        assert picture.complaints_of_axe() == []
    finally:
        site.browser.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", script)
    assert site.complaints() == []


def check_a_finger_shows_what_it_may_press(site, picture):
    button = picture.ask("root.querySelector('.control').getBoundingClientRect().toJSON()")
    finger = {"x": button["x"] + 10, "y": button["y"] + 10}
    site.browser.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": True})
    try:
        picture.ask("video.loop = true, root.querySelector('.stage').setAttribute('data-resting', '')")
        picture.ask("video.play()")
        picture.ask("window.taps = 0, root.addEventListener('click', () => (window.taps += 1), true)")
        site.browser.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [finger]})
        site.browser.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        picture.wait_for("window.taps === 1 && !root.querySelector('.stage').hasAttribute('data-resting')")
        assert not picture.ask("video.paused"), "what was not to be seen is not pressed"
    finally:
        site.browser.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": False})


PAGE_OF_ANOTHER_ORIGIN = """const [api, id] = arguments, player = document.createElement("eleven-video");
player.setAttribute("api", `${api}/api/`);
player.toggleAttribute("autoplay");
player.setAttribute("video-id", id);
document.body.replaceChildren(player);
import("/static/videos/player/eleven-video.js");"""


def test_a_page_of_another_origin_plays_by_the_api_alone(site, picture, settings):
    elsewhere = site.url.replace("localhost", "127.0.0.1")
    settings.ALLOWED_HOSTS = ["localhost", "127.0.0.1"]
    settings.CORS_ALLOWED_ORIGINS = [elsewhere]
    _, video = film()
    put_caption(video=video, language="en", label="English", body=CHAPTERS)
    site.open(f"{elsewhere}/static/videos/preview.css")  # any page there without a policy of ours
    site.browser.execute_script(PAGE_OF_ANOTHER_ORIGIN, site.url, str(video.pk))
    picture.wait_until_decoded()
    picture.press("c")
    picture.wait_for("[...video.textTracks].some(({mode, cues}) => mode === 'showing' && cues?.length === 2)")
    picture.hover_over_the_timeline()
    picture.wait_for("root.querySelector('.sprite').style.backgroundImage.includes('sprite.jpg')")
    site.browser.execute_script("arguments[0].remove()", picture.ask("player"))
    site.wait_for(lambda: PlaybackSession.objects.get().state == "ended", "the end of the viewing")
    assert site.complaints() == []
    site.browser.execute_script("localStorage.clear()")


def test_hls_js_plays_an_encrypted_film_with_the_licence_server(site, picture):
    """Another player than ours, as the docs describe it."""
    site.open(f"/videos/embed/{uuid.uuid4()}")
    site.see("does not exist")
    _, video = film()
    site.browser.execute_script((VENDOR / "hls.js/hls.min.js").read_text())
    site.browser.execute_script(
        """const [video] = [document.createElement("video")], errors = window.hlsErrors = [];
        video.muted = true;
        document.querySelector("main").replaceChildren(video);
        fetch(`/api/videos/${arguments[0]}/playback/`, {
          method: "POST",
          headers: {"Content-Type": "application/json"},
          body: JSON.stringify({device_id: "a-device-of-hls-js"}),
        }).then(async (response) => {
          const {hls, session} = await response.json();
          let token = hls.drm.token;
          const player = new Hls({
            emeEnabled: true,
            enableWorker: false, // the page's Content-Security-Policy allows no worker of a blob
            drmSystems: {"org.w3.clearkey": {licenseUrl: hls.drm.systems["org.w3.clearkey"].license_url}},
            licenseXhrSetup: (xhr) => {
              xhr.setRequestHeader("Authorization", `Bearer ${token ?? session.token}`);
              xhr.setRequestHeader("X-Device-Id", "a-device-of-hls-js");
              token = null;
            },
          });
          player.on(Hls.Events.ERROR, (_, {details, reason, error}) => errors.push(`${details} ${reason ?? error}`));
          player.loadSource(hls.url);
          player.attachMedia(video);
          await video.play();
        });""",
        str(video.pk),
    )
    decoded = """const video = document.querySelector("main video");
        return Boolean(video.mediaKeys) && video.currentTime > 1.5
            && video.getVideoPlaybackQuality().totalVideoFrames > 20
            && video.webkitAudioDecodedByteCount > 0"""
    site.wait_for(lambda: site.browser.execute_script(decoded), "decoded frames", timeout_s=15)
    assert site.browser.execute_script("return window.hlsErrors") == []


def test_every_reason_why_a_video_does_not_play_is_told(site, picture, settings):
    settings.REST_FRAMEWORK = settings.REST_FRAMEWORK | {
        "DEFAULT_THROTTLE_RATES": settings.REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"] | {"playback": "10/min"}
    }
    hosted, revoked = film()
    keys.revoke(video=hosted, reason="a test")
    failed = make_video(access_level="public", asset={"status": AssetStatus.FAILED})
    waiting = make_video(access_level="public", asset={"status": AssetStatus.PROCESSING})
    members, sold = make_video(access_level="members"), film_lesson(kid=uuid.uuid4()).video
    site.sign_in(make_user(email_verified_at=None))
    site.open(f"/videos/{revoked.pk}")
    for video_id, state, words in (
        (revoked.pk, "licence-refused", "Its key was withdrawn"),
        (sold.pk, "forbidden", "a course that you are not enrolled in"),
        (members.pk, "forbidden", "Verify your e-mail address"),
        (uuid.uuid4(), "gone", "does not exist any more"),
        (failed.pk, "failed", "Its file could not be prepared"),
        (waiting.pk, "not-ready", "We look again in 10 seconds"),
    ):
        picture.play(video_id)
        site.see(words)
        assert picture.ask("player.state") == state
        assert picture.complaints_of_axe() == [], state
    assert Licence.objects.earliest("id").result == "key_revoked"
    picture.ask("player.setAttribute('shaka-url', '/static/missing.js')")
    picture.play(revoked.pk)
    site.see("The player did not load")
    streams = PlaybackSession.objects.exclude(state="ended")
    site.wait_for(lambda: not streams.exists(), "what did not start to hold no stream")

    picture.ask("player.tokenProvider = () => Promise.reject(new Error('The sign-in service is away.'))")
    picture.play(members.pk)
    site.see("No connection")
    picture.ask("player.tokenProvider = null")
    picture.play(members.pk)
    site.see("Sign in to watch")
    assert picture.find(".actions a").get_attribute("href").startswith(f"{site.url}/login?next=")
    network(site, offline=True)
    picture.play(revoked.pk)
    site.see("No connection")
    settings.VIDEO_PROVIDERS = {name: entry for name, entry in settings.VIDEO_PROVIDERS.items() if name != "hosted"}
    network(site, offline=False)
    site.see("The video service does not answer")
    for _ in range(9):
        picture.play(failed.pk)
    site.see("One moment, please")
    assert picture.complaints_of_axe() == []


def network(site, *, offline: bool) -> None:
    conditions = {"offline": offline, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    site.browser.execute_cdp_cmd("Network.enable", {})
    site.browser.execute_cdp_cmd("Network.emulateNetworkConditions", conditions)


def test_a_connection_that_is_lost_comes_back_by_itself(site, picture):
    site.browser.execute_cdp_cmd("Network.enable", {})
    block(site, "*/v180.mp4", "*/v90.mp4")
    site.open(f"/videos/embed/{film()[1].pk}")
    site.see("The connection was lost")
    block(site)
    site.browser.execute_script("dispatchEvent(new Event('online'))")
    picture.wait_until_decoded(frames=5, seconds=0.2)

    block(site, "*/v180.mp4", "*/v90.mp4")
    picture.choose("Quality", "90p")
    site.see("The video goes on when it is back")
    block(site)
    picture.wait_for("player.state === 'connection-lost' || video.videoHeight === 90")
    site.browser.execute_script("dispatchEvent(new Event('online'))")

    picture.wait_for("video.currentTime > 1 && root.querySelector('.hint').hidden")


def block(site, *urls: str) -> None:
    site.browser.execute_cdp_cmd("Network.setBlockedURLs", {"urls": list(urls)})


def test_a_viewer_goes_on_where_another_device_was_and_ends_its_stream(site, picture, student):
    device = str(uuid.uuid4())
    video = Video.objects.get()
    elsewhere = auth_client(student)
    for number in range(3):
        answer = elsewhere.post(f"/api/videos/{video.pk}/playback/", {"device_id": f"{device}-{number}"}).json()
    session = answer["session"]
    report = {"token": session["token"], "seq": 1, "position": 5.0, "played": [[0, 5]]}
    elsewhere.post(session["heartbeat_url"], report)

    site.open("/lessons/waves")
    site.see("Too many streams")
    assert picture.complaints_of_axe() == []
    site.click("End it, watch here")

    picture.wait_for("video.currentTime > 5 && video.getVideoPlaybackQuality().totalVideoFrames > 3")
    assert PlaybackSession.objects.filter(state="ended").count() == 1


def test_an_instructor_watches_in_the_admin_and_is_not_counted(site, picture):
    staff = make_user(is_staff=True, is_superuser=True)
    session = Client()
    session.force_login(staff)
    _, video = film(access_level="entitled")
    site.open("/login")
    cookie = session.cookies[project.SESSION_COOKIE_NAME]
    site.browser.add_cookie({"name": cookie.key, "value": cookie.value, "path": "/"})

    site.open(f"/admin/videos/video/{video.pk}/change/")
    site.wait_for(lambda: picture.ask("root.querySelector('.cover')"), "the picture to press")
    picture.find(".cover").send_keys(Keys.ENTER)

    picture.wait_until_decoded()
    assert picture.ask("root.activeElement.title") == "Pause", "the keyboard's place is not lost"
    assert not PlaybackSession.objects.get().is_counted
    site.browser.delete_all_cookies()


def test_files_of_chapters_and_pictures_are_read_as_their_authors_write_them(site):
    site.open("/")
    told = site.browser.execute_async_script(
        r"""
        const done = arguments[0];
        const twoStarts = (Picture) => {
          const stage = document.createElement("div"), host = document.body;
          const options = { stage, host, grant: { captions: [] }, title: "", resolved: (address) => address };
          const [first, second] = [new Picture(options), new Picture(options)];
          first.hide();
          return !stage.hidden && stage.contains(second.video);
        };
        const modules = ["cues", "seek-bar", "picture"].map((name) => import(`/static/videos/player/${name}.js`));
        Promise.all(modules).then(([{ cueAt, parseCues, spriteOf }, { quotable }, { Picture }]) => {
          const cues = parseCues(
            "WEBVTT\r\n\r\nNOTE by hand\r\n\r\n1\r\n00:00.000 --> 00:05.500 align:start\r\nBeginning\r\n\r\n"
              + "01:00:05.500 --> 01:00:09.000\r\nsprite.jpg?a=b#xywh=160,90,80,45\r\n\r\n",
          );
          done([cues[0], cueAt(cues, 5.5), cueAt(cues, 3606).start,
                spriteOf(cues[1], "https://media.test/p/sprite.vtt"), spriteOf(cues[0], "https://media.test/"),
                quotable("https://media.test/a%20b.jpg?X-Amz-Credential=AK%2F2026&b=\\"), twoStarts(Picture)]);
        });
        """
    )
    *told, address, second_is_shown = told
    assert address == "https://media.test/a%20b.jpg?X-Amz-Credential=AK%2F2026&b=%5C", "signatures stay as they are"
    assert second_is_shown, "what a first start leaves behind takes no second one's picture away"
    sprite = {"url": "https://media.test/p/sprite.jpg?a=b", "x": 160, "y": 90, "width": 80, "height": 45}
    assert told == [{"start": 0, "end": 5.5, "text": "Beginning"}, None, 3605.5, sprite, None]
