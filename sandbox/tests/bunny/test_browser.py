import os
import shutil
import time

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

from sandbox.bunny import player
from sandbox.config import SandboxConfig
from sandbox.server import Sandbox

CHROMIUM, CHROMEDRIVER = shutil.which("chromium"), shutil.which("chromedriver")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        not (CHROMIUM and CHROMEDRIVER) and "CI" not in os.environ,
        reason="needs chromium and chromedriver on the PATH; in CI their absence fails",
    ),
]
EMBED = """
const [script, page] = arguments;
window.seen = [];
const element = document.createElement("script");
element.src = script;
element.onload = () => {
  const iframe = document.createElement("iframe");
  iframe.allow = "autoplay";
  iframe.src = page;
  document.body.append(iframe);
  window.player = new playerjs.Player(iframe);
  for (const name of ["ready", "play", "pause", "seeked", "timeupdate"])
    player.on(name, (value) => window.seen.push([name, value]));
};
document.head.append(element);
"""


@pytest.fixture
def sandbox():
    with Sandbox(SandboxConfig()) as running:
        yield running


@pytest.fixture
def browser():
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"):
        options.add_argument(argument)
    driver = webdriver.Chrome(options=options, service=Service(CHROMEDRIVER))
    driver.set_script_timeout(15)
    yield driver
    driver.quit()


def wait_for(browser, script, timeout_s=20):
    deadline = time.monotonic() + timeout_s
    while not (value := browser.execute_script(script)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert value, f"never true: {script}; seen {browser.execute_script('return window.seen')}"
    return value


def asked(browser, getter):
    return browser.execute_async_script(f"player.{getter}(arguments[0])")


def test_the_embedding_page_steers_the_player_and_hears_from_it(browser, sandbox):
    guid, expires = sandbox.bunny.add_video(), str(int(time.time()) + 60)
    token = player.token(sandbox.config.bunny_token_key, guid, expires)
    browser.get(sandbox.url.replace("127.0.0.1", "localhost") + "/mail")
    page = f"{sandbox.bunny_player_url}/133/{guid}?token={token}&expires={expires}"
    browser.execute_script(EMBED, sandbox.bunny_player_script_url, page)
    wait_for(browser, "return seen.some(([name]) => name === 'ready')")
    browser.execute_script("player.mute(); player.play();")
    wait_for(browser, "return seen.some(([name, value]) => name === 'timeupdate' && value.seconds > 0.3)")
    assert abs(asked(browser, "getDuration") - 48) < 0.2
    assert asked(browser, "getMuted") is True
    browser.execute_script("player.pause(); player.setCurrentTime(20);")
    wait_for(browser, "return seen.some(([name]) => name === 'seeked')")
    assert asked(browser, "getPaused") is True
    assert abs(asked(browser, "getCurrentTime") - 20) < 0.5
