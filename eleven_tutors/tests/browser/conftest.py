import os
import shutil
from collections.abc import Iterator

import pytest
from selenium import webdriver

from eleven_tutors.tests.browser.site import Site
from videos import conf

FLAGS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
    "--window-size=1280,900",
]


def _found_or_absent(*names: str) -> str:
    found = next(filter(None, map(shutil.which, names)), None)
    if found:
        return found
    reason = f"NO BROWSER TEST RAN: none of {', '.join(names)} is installed (Debian: apt install chromium-driver)."
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def chromium(tmp_path_factory) -> Iterator[webdriver.Chrome]:
    options = webdriver.ChromeOptions()
    options.binary_location = _found_or_absent("chromium", "chromium-browser", "google-chrome")
    driver_path = _found_or_absent("chromedriver")
    for flag in [*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('chromium')}"]:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(executable_path=driver_path))
    driver.set_page_load_timeout(60)
    yield driver
    driver.quit()


@pytest.fixture
def site(chromium, live_server, sandbox, settings) -> Iterator[Site]:
    """The whole platform as a student's browser sees it: signed out, with the stand-ins behind it."""
    settings.FRONTEND_URL = live_server.url
    settings.SANDBOX_URL = sandbox.url
    sandbox.context.webhooks.stripe_url = f"{live_server.url}/api/payments/stripe/webhook/"
    sandbox.context.webhooks.stripe_secret = settings.STRIPE_WEBHOOK_SECRETS[0]
    site = Site(chromium, live_server.url)
    site.forget_everything()
    yield site
    # Leave the page, so that nothing of it asks a server whose database is being emptied.
    chromium.get("about:blank")


@pytest.fixture
def hurried(monkeypatch) -> int:
    """Players report every so many seconds, fewer than otherwise, so that a test need not play for half a minute."""
    monkeypatch.setattr(conf, "HEARTBEAT_S", 3)
    return conf.HEARTBEAT_S
