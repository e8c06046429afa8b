"""From a file on an instructor's disk to the picture that a student sees, with the real encoder between them."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.contrib.auth.models import Permission

from courses.models import Course
from courses.tests.factories import enroll_student, make_lesson
from eleven_tutors.tests.browser.picture import Picture
from eleven_tutors.tests.browser.test_upload import instructor  # noqa: F401
from eleven_tutors.tests.browser.uploader import Uploader
from users.tests.factories import make_user
from videos.hosted import tasks
from videos.hosted.encoders.ffmpeg import FfmpegEncoder
from videos.hosted.models import Licence
from videos.hosted.tests.clips import clip
from videos.hosted.tests.conftest import hosted_entry
from videos.in_process import enqueue as enqueue_in_process
from videos.models import AssetStatus

pytestmark = pytest.mark.browser
SHARE = re.compile(r"… \d+ %")
_waiting: list[int] = []


def enqueue(task_name: str, *args: int | str) -> None:
    """The test is the worker of transcodes; everything else is done where it is asked for."""
    if task_name == "videos.hosted.run_steps":
        _waiting.append(args[0])
    else:
        enqueue_in_process(task_name, *args)


@dataclass(frozen=True, kw_only=True)
class WatchedEncoder(FfmpegEncoder):
    """Packages once the page has told how far the encoding is: pages ask seldom, and this film is short."""

    before_packaging: Callable[[], object]

    def run(self, work):
        if self.packages(work.step.kind):
            self.before_packaging()
        return super().run(work)


@pytest.fixture
def lesson(site, instructor, settings, tmp_path):  # noqa: F811
    codenames = ["view_lesson", "change_lesson"]
    instructor.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    uploader = Uploader(site)

    def until_told():
        return site.wait_for(lambda: SHARE.search(uploader.text()), "how far it is")

    encoder = {"BACKEND": f"{__name__}.WatchedEncoder", "OPTIONS": {"before_packaging": until_told}}
    settings.VIDEO_PROVIDERS = {"hosted": hosted_entry(tmp_path, encoder=encoder)}
    settings.VIDEO_ROUTES = [{"use": ["hosted"]}]
    settings.VIDEO_ENQUEUE = f"{__name__}.enqueue"
    _waiting.clear()
    return make_lesson(course=Course.objects.get(), title="Waves", slug="waves")


def test_a_film_dropped_into_a_lesson_is_encoded_encrypted_and_watched(site, lesson):
    uploader, picture = Uploader(site), Picture(site)
    site.open(f"/admin/courses/lesson/{lesson.pk}/change/")
    drop(site, clip(seconds=4))
    uploader.see("waits for its turn")
    tasks.run_steps(_waiting.pop())
    uploader.see("The video is ready to be watched.")
    lesson.refresh_from_db()
    asset = lesson.video.assets.get()
    assert (asset.status, asset.protection) == (AssetStatus.READY, "encrypted")

    student = make_user()
    enroll_student(student, lesson.part.course)
    site.forget_everything()
    site.sign_in(student)
    site.open("/lessons/waves")
    picture.wait_until_decoded()
    assert picture.ask("Boolean(video.mediaKeys)")
    assert picture.ask("root.querySelector('.protection-label').textContent") == "Encrypted"
    assert set(Licence.objects.values_list("result", "user__email")) == {("issued", student.email)}
    assert site.complaints() == []


def drop(site, path: Path) -> None:
    """Drop a file onto the uploader, as from a window beside the browser."""
    target = site.wait_for(lambda: site.browser.find_elements("css selector", ".uploader-file"), "the file field")[0]
    site.browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", target)
    box = site.browser.execute_script("return arguments[0].getBoundingClientRect().toJSON()", target)
    data = {"items": [], "files": [str(path)], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        where = {"type": kind, "x": box["x"] + 20, "y": box["y"] + box["height"] / 2, "data": data}
        site.browser.execute_cdp_cmd("Input.dispatchDragEvent", where)
