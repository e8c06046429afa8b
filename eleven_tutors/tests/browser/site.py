"""What a student can do with the pages, for tests to say in their own words."""

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver import Chrome
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

from users.models import User
from users.tests.factories import PASSWORD

PATIENCE_S = 40
T = TypeVar("T")


class Site:
    def __init__(self, browser: Chrome, url: str) -> None:
        self.browser = browser
        self.url = url

    def forget_everything(self) -> None:
        self.browser.execute_cdp_cmd("Storage.clearDataForOrigin", {"origin": self.url, "storageTypes": "all"})
        self.browser.get_log("browser")

    def open(self, address: str) -> None:
        self.browser.get(address if address.startswith("http") else self.url + address)

    def wait_for(self, condition: Callable[[], T], what: str, timeout_s: float = PATIENCE_S) -> T:
        # A page that renders anew drops the elements that were just found.
        wait = WebDriverWait(self.browser, timeout_s, 0.1, ignored_exceptions=[StaleElementReferenceException])
        return wait.until(lambda _: condition(), what)

    def see(self, text: str, timeout_s: float = PATIENCE_S) -> None:
        """Wait until the page's visible text holds `text`; the failure shows what it holds instead."""
        try:
            self.wait_for(lambda: text in self.text(), text, timeout_s)
        except Exception as error:
            raise AssertionError(f"{text!r} is not on {self.browser.current_url}:\n{self.text()}") from error

    def text(self) -> str:
        """The visible text of the page, with what its player shows."""
        return self.browser.execute_script(
            """const notes = [...document.querySelectorAll("eleven-video")]
                .filter((player) => player.checkVisibility())
                .flatMap(({shadowRoot}) => [...(shadowRoot?.querySelector(".frame").children ?? [])]);
            return [document.querySelector("main, body"), ...notes].map((part) => part?.innerText ?? "").join("\\n")"""
        )

    def find(self, selector: str) -> WebElement:
        """The first visible element; waits for it."""
        return self.wait_for(lambda: next(iter(self.visible(selector)), None), f"a visible {selector}")

    def visible(self, selector: str) -> list[WebElement]:
        """The visible elements, those inside the page's player too."""
        found = self.browser.execute_script(
            """const inside = [...document.querySelectorAll("eleven-video")].map(({shadowRoot}) => shadowRoot);
            const roots = [document, ...inside.filter(Boolean)];
            return roots.flatMap((root) => [...root.querySelectorAll(arguments[0])]);""",
            selector,
        )
        return [element for element in found if element.is_displayed()]

    def click(self, name: str) -> None:
        """Press the visible button or link of that name."""

        def pressed() -> bool:
            buttons = self.visible("main a, main button, .frame a, .frame button")
            named = [found for found in buttons if found.text.strip() == name]
            if named:
                named[0].click()
            return bool(named)

        self.wait_for(pressed, f"a button or link {name!r}")

    def fill(self, **values: str) -> None:
        for name, value in values.items():
            field = self.find(f"[name={name}]")
            field.clear()
            field.send_keys(value)

    def submit(self) -> None:
        self.find("main button[type=submit]").click()

    def sign_in(self, user: User, password: str = PASSWORD) -> None:
        self.open("/login")
        self.fill(email=user.email, password=password)
        self.submit()
        self.wait_for(lambda: "/login" not in self.browser.current_url, "the page after signing in")

    def wait_until_at(self, start: str) -> None:
        address = start if start.startswith("http") else self.url + start
        self.wait_for(lambda: self.browser.current_url.startswith(address), f"the address {start}")

    def wait_until_settled(self) -> None:
        """Wait until nothing on the page is loading, its pictures included."""
        script = """return document.readyState === "complete"
            && [...document.querySelectorAll('[aria-busy="true"], [data-state="loading"]')]
                .every((busy) => busy.offsetParent === null || busy.ariaBusy === "false")
            && [...document.images].every((image) => image.complete)"""
        self.wait_for(lambda: self.browser.execute_script(script), "the end of loading")

    def complaints(self) -> list[dict[str, Any]]:
        """What the console holds as errors since it was last read."""
        return [entry for entry in self.browser.get_log("browser") if entry["level"] == "SEVERE"]

    def resize(self, width: int, height: int = 900) -> None:
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)

    def resize_back(self) -> None:
        self.browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})

    def overflow_px(self) -> int:
        """By how many pixels the page is wider than its window."""
        return self.browser.execute_script(
            "return document.scrollingElement.scrollWidth - document.documentElement.clientWidth"
        )

    def photograph(self, path: Path) -> None:
        """The whole page: the window is made as high as it, since Chromium lays frames out anew beyond the window."""
        path.parent.mkdir(parents=True, exist_ok=True)
        width, height = self.browser.execute_script("return [innerWidth, document.scrollingElement.scrollHeight]")
        self.resize(width, height)
        shot = self.browser.execute_cdp_cmd("Page.captureScreenshot", {})
        path.write_bytes(base64.b64decode(shot["data"]))


class Player:
    """The host's player inside the lesson page."""

    def __init__(self, site: Site) -> None:
        self.site = site

    def __enter__(self) -> "Player":
        self.site.browser.switch_to.frame(self.site.find("eleven-video iframe"))
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.site.browser.switch_to.default_content()

    def time_s(self) -> float:
        return self.site.browser.execute_script("return document.querySelector('video').currentTime")

    def wait_until_it_moves(self) -> float:
        start = self.time_s()
        return self.site.wait_for(lambda: (now := self.time_s()) > start + 0.5 and now, "the video to move")

    def watermark(self) -> str:
        return self.site.find(".mark-rtext").text
