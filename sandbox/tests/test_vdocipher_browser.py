import http.server
import json
import os
import shutil
import threading
import time

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By

from sandbox.tests.vdocipher_client import new_video, otp_for

CHROMIUM, CHROMEDRIVER = shutil.which("chromium"), shutil.which("chromedriver")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        not (CHROMIUM and CHROMEDRIVER) and "CI" not in os.environ,
        reason="needs chromium and chromedriver on the PATH; in CI their absence fails",
    ),
]
EMBED = """<!doctype html><title>Embedding page</title>
<iframe id="player" width="640" height="360" allow="encrypted-media"
  src="{player}?otp={otp}&playbackInfo={info}{options}"></iframe>
<script>
window.seen = [];
window.onVdoPlayerV2APIReady = () => {{
  window.player = VdoPlayer.getInstance(document.getElementById("player"));
  for (const name of ["play", "pause", "timeupdate", "seeked", "ratechange", "error"])
    player.video.addEventListener(name, () => window.seen.push(name));
}};
</script>
<script src="{player}api.js" async></script>"""
MARK = [{"type": "rtext", "text": 'Ada "Q" <ada@example.com>', "alpha": "0.60", "color": "0xFF0000", "size": "15"}]


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
def embed(browser, sandbox):
    """Open the player in a page of another origin, as the application does."""
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

    def open_page(credentials, options="&autoplay=true"):
        info = credentials["playbackInfo"].replace("=", "%3D")
        pages.append(
            EMBED.format(player=sandbox.vdocipher_player_url, otp=credentials["otp"], info=info, options=options)
        )
        browser.get(f"http://localhost:{server.server_port}/")
        wait_for(browser, "return Boolean(window.player)")

    yield open_page
    browser.get("about:blank")
    server.shutdown()
    server.server_close()
    thread.join()


def wait_for(browser, script, timeout_s=10):
    deadline = time.monotonic() + timeout_s
    while not (value := browser.execute_script(script)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert value, f"never true: {script}"
    return value


def promised(browser, expression):
    script = f"const done = arguments[0]; {expression}.then((v) => done({{v}}), (e) => done({{error: e.message}}))"
    return browser.execute_async_script(script)


def test_an_address_opened_by_itself_plays(browser, sandbox):
    credentials = otp_for(sandbox, new_video(sandbox))
    info = credentials["playbackInfo"].replace("=", "%3D")
    browser.get(f"{sandbox.vdocipher_player_url}?otp={credentials['otp']}&playbackInfo={info}")
    wait_for(browser, "return document.querySelector('video').currentTime > 0.5")


def test_the_clip_plays_under_the_moving_name(browser, sandbox, embed):
    marks = [MARK[0] | {"interval": "300"}]
    embed(otp_for(sandbox, new_video(sandbox), annotate=json.dumps(marks)))
    wait_for(browser, "return player.video.currentTime > 0.5 && !player.video.paused")
    assert abs(browser.execute_script("return player.video.duration") - 48) < 0.2
    assert "timeupdate" in browser.execute_script("return window.seen")
    browser.switch_to.frame("player")
    mark = browser.find_element(By.CSS_SELECTOR, ".mark-rtext")
    assert mark.text == MARK[0]["text"]
    assert mark.value_of_css_property("color") == "rgba(255, 0, 0, 1)"
    assert (mark.value_of_css_property("opacity"), mark.value_of_css_property("font-size")) == ("0.6", "15px")
    before = mark.get_attribute("style")
    time.sleep(0.8)
    assert mark.get_attribute("style") != before


def test_a_player_that_is_told_to_play_by_itself_is_muted(browser, sandbox, embed):
    embed(otp_for(sandbox, new_video(sandbox)))
    wait_for(browser, "return player.video.currentTime > 0")
    assert browser.execute_script("return player.video.muted")


def test_a_skipping_mark_hides_between_its_places(browser, sandbox, embed):
    marks = [MARK[0] | {"interval": "200", "skip": "200"}, {"type": "text", "text": "fixed", "x": "10", "y": "20"}]
    embed(otp_for(sandbox, new_video(sandbox), annotate=json.dumps(marks)))
    browser.switch_to.frame("player")
    moving = browser.find_element(By.CSS_SELECTOR, ".mark-rtext")
    seen = set()
    for _ in range(40):
        seen.add(moving.is_displayed())
        time.sleep(0.03)
    assert seen == {True, False}
    assert browser.find_element(By.CSS_SELECTOR, ".mark-text").location == {"x": 10, "y": 20}


def test_the_embedding_page_steers_the_video(browser, sandbox, embed):
    embed(otp_for(sandbox, new_video(sandbox)), options="&controls=on")
    wait_for(browser, "return player.video.readyState > 0")
    assert browser.execute_script("return player.video.paused && !player.video.muted")
    assert "interact" in promised(browser, "player.video.play()")["error"]
    browser.execute_script("player.video.muted = true")
    assert "error" not in promised(browser, "player.video.play()")
    wait_for(browser, "return !player.video.paused && player.video.currentTime > 0.2")
    browser.execute_script("player.video.currentTime = 30; player.video.playbackRate = 2")
    wait_for(browser, "return seen.includes('seeked') && seen.includes('ratechange')")
    wait_for(browser, "return player.video.currentTime > 30.3")
    promised(browser, "player.video.pause()")
    wait_for(browser, "return player.video.paused && seen.includes('pause')")


def test_what_was_watched_is_counted_once_per_second(browser, sandbox, embed):
    embed(otp_for(sandbox, new_video(sandbox, title="Proofs")))
    wait_for(browser, "return player.video.currentTime > 2.2")
    browser.execute_script("player.video.currentTime = 0")
    wait_for(browser, "return seen.includes('seeked') && player.video.currentTime > 1.5")
    promised(browser, "player.video.pause()")
    played = promised(browser, "player.api.getTotalPlayed()")["v"]
    covered = promised(browser, "player.api.getTotalCovered()")["v"]
    seconds = promised(browser, "player.api.getTotalCoveredArray()")["v"]
    assert covered == sum(seconds)
    assert covered < played
    assert (seconds[:3], seconds[40], len(seconds)) == ([1, 1, 1], 0, 48)
    assert promised(browser, "player.api.getMetaData()")["v"]["title"] == "Proofs"


def test_a_used_otp_shows_its_error_and_tells_the_page(browser, sandbox, embed):
    credentials = otp_for(sandbox, new_video(sandbox))
    embed(credentials)
    wait_for(browser, "return player.video.currentTime > 0")
    embed(credentials)
    wait_for(browser, "return seen.includes('error') && player.video.error.code === 2013")
    browser.switch_to.frame("player")
    assert "2013" in browser.find_element(By.ID, "refusal").text


def test_another_video_is_loaded_without_a_new_frame(browser, sandbox, embed):
    embed(otp_for(sandbox, new_video(sandbox)))
    wait_for(browser, "return player.video.currentTime > 0.3")
    following = otp_for(sandbox, new_video(sandbox, title="Second"), annotate=json.dumps(MARK))
    assert "error" not in promised(browser, f"player.api.loadVideo({json.dumps(following)})")
    assert promised(browser, "player.api.getMetaData()")["v"]["title"] == "Second"
    assert promised(browser, "player.api.getTotalPlayed()")["v"] < 1
    refused = promised(browser, f"player.api.loadVideo({json.dumps(following)})")
    assert "2013" in refused["error"]
    browser.switch_to.frame("player")
    assert "2013" in browser.find_element(By.ID, "refusal").text


def test_a_whitelisted_page_on_another_port_may_embed(browser, sandbox, embed):
    embed(otp_for(sandbox, new_video(sandbox), whitelisthref="^localhost$"))
    wait_for(browser, "return player.video.currentTime > 0")
    embed(otp_for(sandbox, new_video(sandbox), whitelisthref=r"example\.com"))
    wait_for(browser, "return player.video.error?.code === 2014")
