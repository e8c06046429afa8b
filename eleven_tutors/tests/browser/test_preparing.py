"""An instructor follows what becomes of a file, and has it prepared again."""

import pytest

from eleven_tutors.tests.browser.test_upload import change_page, instructor  # noqa: F401
from eleven_tutors.tests.browser.uploader import Uploader
from videos.models import AssetStatus
from videos.tests import preparing_host
from videos.tests.factories import make_video

pytestmark = pytest.mark.browser


@pytest.fixture
def host(instructor, settings):  # noqa: F811
    options = {"asked": [], "made": {"state": "processing", "step": "Encoding", "progress_percent": 42}}
    settings.VIDEO_PROVIDERS = {"own": {"BACKEND": preparing_host.BACKEND, "OPTIONS": options}}
    return options


def test_each_step_is_told_and_a_failed_video_is_tried_again_as_it_is_chosen_now(site, instructor, host):  # noqa: F811
    asset = {"provider": "own", "status": AssetStatus.PROCESSING}
    uploader = Uploader(site)
    video = make_video(owner=instructor, title="Limits", asset=asset)
    site.open(change_page(video))
    uploader.see("Encoding … 42 %.")
    assert site.find("video-uploader progress").get_attribute("value") == "42"
    host["made"] |= {"step": "Packaging", "progress_percent": 97}
    uploader.see("Packaging … 97 %.")
    host["made"] |= {"state": "completed", "can_start_again": True}
    uploader.see("The video host is preparing the file.")
    video.assets.update(status=AssetStatus.READY)
    uploader.see("The video is ready to be watched.")
    host["made"] |= {"state": "failed", "failure_code": "host_failed"}
    site.browser.refresh()
    uploader.see("The video plays as before. Preparing it again failed:")
    site.browser.execute_script("document.querySelector('[name=quality]').value = 'high'")
    host["made"] |= {"state": "pending", "step": "Waiting", "can_start_again": False}
    uploader.press("Try again")
    uploader.see("waits for its turn. The present version is played until then.")
    assert [(asked["quality"], asked["protection"]) for asked in host["asked"]] == [("high", "encrypted")]
    host["made"] |= {"state": "completed"}
    uploader.see("The original file is no longer kept")
