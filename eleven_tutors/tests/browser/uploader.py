"""The admin's uploader as a browser test uses it, and the instructor in front of it."""

from pathlib import Path

from django.conf import settings as project
from django.contrib.auth.models import Group, Permission
from django.test import Client

from courses.tests.factories import make_course
from eleven_tutors.groups import INSTRUCTORS
from users.tests.factories import make_user

FILM = Path(__file__).parent / "limits.mp4"


def padded_film(path, padding):
    """A real MP4 of 40 s, so many bytes longer by a box that every player passes over; gives `path`."""
    filling = (bytes(range(256)) * (padding // 256 + 1))[8:padding]
    path.write_bytes(FILM.read_bytes() + padding.to_bytes(4, "big") + b"free" + filling)
    return path


def sign_in_instructor(site):
    """A new instructor with a course, signed in to the admin; gives the user."""
    instructor = make_user(is_staff=True)
    group, _ = Group.objects.get_or_create(name=INSTRUCTORS)
    group.permissions.set(Permission.objects.filter(codename__in=["view_video", "add_video", "change_video"]))
    instructor.groups.add(group)
    make_course(instructors=[instructor])
    session = Client()
    session.force_login(instructor)
    site.open("/login")
    cookie = session.cookies[project.SESSION_COOKIE_NAME]
    site.browser.add_cookie({"name": cookie.key, "value": cookie.value, "path": "/"})
    return instructor


class Uploader:
    """The uploader on the page that is open."""

    def __init__(self, site) -> None:
        self.site = site

    def text(self) -> str:
        return self.site.browser.execute_script("return document.querySelector('video-uploader')?.innerText ?? ''")

    def see(self, words: str, timeout_s: float = 60) -> None:
        try:
            self.site.wait_for(lambda: words in self.text(), words, timeout_s)
        except Exception as error:
            raise AssertionError(f"{words!r} is not in {self.text()!r}: {self.site.complaints()}") from error

    def choose(self, path) -> None:
        self.site.wait_for(lambda: self.site.browser.find_elements("css selector", ".uploader-file"), "the file field")
        self.site.browser.find_element("css selector", ".uploader-file").send_keys(str(path))

    def press(self, name: str) -> None:
        buttons = self.site.visible("video-uploader button")
        button = next(button for button in buttons if button.text.strip() == name)
        # The admin's bar of buttons lies over what is at the window's lower edge.
        self.site.browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", button)
        button.click()

    def slow_down(self, bytes_per_s: int) -> None:
        """-1 for as fast as it goes."""
        self.site.browser.execute_cdp_cmd("Network.enable", {})
        conditions = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": bytes_per_s}
        self.site.browser.execute_cdp_cmd("Network.emulateNetworkConditions", conditions)
