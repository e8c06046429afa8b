"""The picture that <eleven-video> draws itself."""

from pathlib import Path
from typing import Any

from selenium.webdriver import ActionChains
from selenium.webdriver.remote.webelement import WebElement

from eleven_tutors.tests.browser.site import Site

AXE = Path(__file__).parent / "vendor/axe-core/axe.min.js"
_NAMES = """const player = document.querySelector("eleven-video"), root = player.shadowRoot;
const video = root.querySelector("video");"""


class Picture:
    def __init__(self, site: Site) -> None:
        self.site = site

    def ask(self, expression: str) -> Any:
        """The value of a JavaScript expression about `player`, its shadow `root` and its `video`."""
        return self.site.browser.execute_script(f"{_NAMES} return {expression};")

    def wait_for(self, expression: str, timeout_s: float = 15) -> None:
        script = f"try {{ {_NAMES} return {expression} }} catch {{ return false }}"
        try:
            self.site.wait_for(lambda: self.site.browser.execute_script(script), expression, timeout_s)
        except Exception as error:
            raise AssertionError(f"{expression} never held; the player shows: {self.site.text()}") from error

    def wait_until_decoded(self, *, frames: int = 20, seconds: float = 1.5) -> None:
        """Wait until so many frames were decoded and so much was played, with sound: a clock alone proves nothing."""
        self.wait_for(
            f"video.getVideoPlaybackQuality().totalVideoFrames > {frames} && video.currentTime > {seconds}"
            " && video.webkitAudioDecodedByteCount > 0"
        )

    def play(self, video_id: object, *, start: float = 0) -> None:
        """Have the player of the open page play another video, from `start` seconds on."""
        self.site.browser.execute_script(
            f"{_NAMES} player.setAttribute('start', arguments[1]); player.videoId = ''; player.videoId = arguments[0];",
            str(video_id),
            start,
        )

    def find(self, selector: str) -> WebElement:
        return self.site.find(selector)

    def press(self, key: str) -> None:
        """Press a key while the player has the focus."""
        self.site.browser.execute_script(f"{_NAMES} root.querySelector('.control').focus()")
        ActionChains(self.site.browser).send_keys(key).perform()

    def choose(self, menu: str, choice: str) -> None:
        script = f"""{_NAMES}
            root.querySelector(`button[aria-label="${{arguments[0]}}"]`).click();
            const items = [...root.querySelectorAll("[role=menuitemradio]")];
            const item = items.find(({{textContent}}) => textContent === arguments[1]);
            item?.click();
            return Boolean(item);"""
        assert self.site.browser.execute_script(script, menu, choice), f"no {choice} in {menu}"

    def hover_over_the_timeline(self) -> None:
        bar = self.ask("root.querySelector('.seek')")
        ActionChains(self.site.browser).move_to_element(bar).move_by_offset(20, 0).perform()

    def complaints_of_axe(self) -> list[str]:
        """What axe-core finds wrong with the whole page, the player's shadow tree included."""
        browser = self.site.browser
        browser.execute_script(AXE.read_text())
        script = """const done = arguments[0];
            axe.run(document).then(({violations}) => done(violations.map(
                ({id, nodes}) => `${id}: ${nodes.map(({target}) => JSON.stringify(target)).join(", ")}`)));"""
        return browser.execute_async_script(script)
