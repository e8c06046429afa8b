import http.server
import os
import shutil
import threading
import time

import pytest
import requests
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By

from sandbox.tests.cloudflare.client import CLIP, ask, metadata, reserve, sign, start_tus, wait_until

CHROMIUM, CHROMEDRIVER = shutil.which("chromium"), shutil.which("chromedriver")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        not (CHROMIUM and CHROMEDRIVER) and "CI" not in os.environ,
        reason="needs chromium and chromedriver on the PATH; in CI their absence fails",
    ),
]
ALLOW = "accelerometer; gyroscope; autoplay; encrypted-media; picture-in-picture;"
EMBED = """<!doctype html><title>Embedding page</title>
<iframe id="player" width="640" height="360" allow="{allow}" src="{src}"></iframe>
<script src="{script}"></script>
<script>
window.seen = [];
window.player = Stream(document.getElementById("player"));
for (const name of ["play", "playing", "pause", "timeupdate", "seeking", "seeked", "ended", "loadedmetadata",
                    "loadeddata", "durationchange", "canplay", "ratechange", "volumechange", "error"])
  player.addEventListener(name, () => window.seen.push(name));
</script>"""


@pytest.fixture(scope="module")
def browser():
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"):
        options.add_argument(argument)
    driver = webdriver.Chrome(options=options, service=Service(CHROMEDRIVER))
    driver.set_script_timeout(15)
    yield driver
    driver.quit()


@pytest.fixture
def site(browser):
    """Open a page of another origin, as the application's are."""
    pages = []

    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            body = pages[-1].encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()

    def open_page(html):
        pages.append(html)
        browser.get(f"http://localhost:{server.server_port}/")

    open_page.origin = f"localhost:{server.server_port}"
    yield open_page
    browser.get("about:blank")
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def embed(browser, sandbox, site):
    def open_player(reference, options=""):
        src = f"{sandbox.cloudflare_playback_url}/{reference}/iframe?{options}"
        site(EMBED.format(src=src, script=sandbox.cloudflare_player_script_url, allow=ALLOW))

    return open_player


def wait_for(browser, script, timeout_s=10):
    deadline = time.monotonic() + timeout_s
    while not (value := browser.execute_script(script)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert value, f"never true: {script}"
    return value


def promised(browser, expression):
    script = f"const done = arguments[0]; {expression}.then(() => done('kept'), (e) => done(e.name))"
    return browser.execute_async_script(script)


def test_told_to_play_by_itself_it_plays_muted_and_tells_the_page(browser, sandbox, embed):
    embed(sign(sandbox, sandbox.cloudflare.add_video()), "autoplay=true")
    wait_for(browser, "return player.currentTime > 0.5 && !player.paused")
    assert abs(browser.execute_script("return player.duration") - 48) < 0.2
    assert browser.execute_script("return player.muted")
    seen = browser.execute_script("return window.seen")
    assert {"loadedmetadata", "durationchange", "canplay", "timeupdate"} <= set(seen)


def test_without_autoplay_it_waits_for_its_button(browser, sandbox, embed):
    embed(sign(sandbox, sandbox.cloudflare.add_video()))
    wait_for(browser, "return player.readyState > 0")
    assert browser.execute_script("return player.paused")
    browser.switch_to.frame("player")
    button = browser.find_element(By.ID, "start")
    button.click()
    assert not button.is_displayed()
    browser.switch_to.default_content()
    wait_for(browser, "return player.currentTime > 0.3 && !player.paused && seen.includes('playing')")


def test_the_page_steers_the_player(browser, sandbox, embed):
    embed(sign(sandbox, sandbox.cloudflare.add_video()))
    wait_for(browser, "return player.readyState > 0")
    assert promised(browser, "player.play()") == "NotAllowedError"
    browser.execute_script("player.muted = true")
    assert promised(browser, "player.play()") == "kept"
    wait_for(browser, "return !player.paused && player.currentTime > 0.2")
    assert browser.execute_script("player.currentTime = 30; return player.currentTime") == 30
    browser.execute_script("player.playbackRate = 2; player.volume = 0.5")
    wait_for(browser, "return ['seeking', 'seeked', 'ratechange', 'volumechange'].every((e) => seen.includes(e))")
    wait_for(browser, "return player.currentTime > 30.3 && player.volume === 0.5")
    browser.execute_script("player.pause()")
    wait_for(browser, "return player.paused && seen.includes('pause')")
    browser.execute_script("player.currentTime = 47.8; player.play()")
    wait_for(browser, "return player.ended && seen.includes('ended')")


def test_a_listener_that_was_taken_away_hears_nothing(browser, sandbox, embed):
    embed(sign(sandbox, sandbox.cloudflare.add_video()), "autoplay=true")
    browser.execute_script(
        "window.heard = 0; const hear = () => { window.heard += 1; };"
        "player.addEventListener('timeupdate', hear); player.removeEventListener('timeupdate', hear);"
    )
    wait_for(browser, "return player.currentTime > 1")
    assert browser.execute_script("return window.heard") == 0


def test_captions_of_the_api_are_offered_in_the_player(browser, sandbox, embed):
    uid = sandbox.cloudflare.add_video()
    vtt = "WEBVTT\n\n00:00.000 --> 00:40.000\nHello\n"
    ask(sandbox, "PUT", f"/{uid}/captions/en", files={"file": ("en.vtt", vtt)})
    embed(sign(sandbox, uid))
    wait_for(browser, "return player.readyState > 0")
    browser.switch_to.frame("player")
    browser.execute_script("document.getElementById('video').textTracks[0].mode = 'showing'")
    cues = "return [...document.getElementById('video').textTracks[0].cues ?? []].map((cue) => cue.text)"
    assert wait_for(browser, cues) == ["Hello"]


def test_it_begins_where_it_is_told(browser, sandbox, embed):
    embed(sign(sandbox, sandbox.cloudflare.add_video()), "autoplay=true&startTime=20s")
    wait_for(browser, "return player.currentTime > 20.2")


def test_an_uploaded_file_is_what_plays(browser, sandbox, embed):
    made = reserve(sandbox, requireSignedURLs=True)
    requests.post(made["uploadURL"], files={"file": ("own.webm", CLIP)}, timeout=10)
    wait_until(sandbox, made["uid"], "ready")
    embed(sign(sandbox, made["uid"]), "autoplay=true")
    wait_for(browser, "return player.currentTime > 0.3")
    assert sandbox.cloudflare.library.file_of(made["uid"]).stat().st_size == len(CLIP)


def test_a_refused_token_shows_why_and_tells_the_page(browser, sandbox, embed):
    embed(sign(sandbox, sandbox.cloudflare.add_video(), exp=1))
    wait_for(browser, "return seen.includes('error') && player.error.message.includes('expired')")
    browser.switch_to.frame("player")
    assert "401" in browser.find_element(By.ID, "refusal").text


def test_only_a_listed_page_may_embed(browser, sandbox, embed, site):
    listed = sandbox.cloudflare.add_video(allowed_origins=(site.origin,))
    embed(sign(sandbox, listed), "autoplay=true")
    wait_for(browser, "return player.currentTime > 0.3")
    other = sandbox.cloudflare.add_video(allowed_origins=("example.com",))
    embed(sign(sandbox, other), "autoplay=true")
    wait_for(browser, "return seen.includes('error')")


def test_what_was_played_counts_as_minutes_delivered(browser, sandbox, embed):
    uid = sandbox.cloudflare.add_video()
    embed(sign(sandbox, uid), "autoplay=true")
    wait_for(browser, "return player.currentTime > 1.2")
    browser.execute_script("player.pause()")
    deadline = time.monotonic() + 5
    while not (rows := sandbox.context.store.values("cloudflare.minutes")) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert [row["uid"] for row in rows] == [uid]
    assert 1 < rows[0]["minutes"] * 60 < 10


def test_a_page_of_another_origin_uploads_by_form_and_by_tus(browser, sandbox, site):
    form = reserve(sandbox)
    tus = start_tus(sandbox, len(CLIP), Upload_Metadata=metadata(name="x.webm"))
    sandbox.cloudflare.add_video(uid="clip", require_signed=False)
    clip = f"{sandbox.cloudflare_playback_url}/clip/video"
    site("<!doctype html><title>Upload</title>")
    sent = browser.execute_async_script(
        """const [form, tus, clip, done] = arguments;
        (async () => {
          const file = await (await fetch(clip)).blob();
          const body = new FormData();
          body.append("file", file, "lesson.webm");
          const first = await fetch(form, { method: "POST", body });
          const version = { "Tus-Resumable": "1.0.0" };
          const head = await fetch(tus, { method: "HEAD", headers: version });
          const second = await fetch(tus, {
            method: "PATCH",
            headers: {
              ...version,
              "Upload-Offset": head.headers.get("Upload-Offset"),
              "Content-Type": "application/offset+octet-stream",
            },
            body: file,
          });
          return [first.status, head.status, second.status, second.headers.get("Upload-Offset")];
        })().then(done, (error) => done(error.message));""",
        form["uploadURL"],
        tus.headers["Location"],
        clip,
    )
    assert sent == [200, 200, 204, str(len(CLIP))]
    wait_until(sandbox, form["uid"], "ready")
    wait_until(sandbox, tus.headers["stream-media-id"], "ready")
