"""An instructor uploads a film in the admin to our own host, by tus through this server."""

import pytest

from eleven_tutors.tests.browser.test_upload import CHUNK_BYTES, change_page, film, instructor  # noqa: F401
from eleven_tutors.tests.browser.uploader import Uploader
from videos.hosted.models import Upload, UploadState
from videos.hosted.services.uploading.uploads import local_store
from videos.hosted.tests.uploads_tus import idle_entry
from videos.models import AssetStatus
from videos.tests.factories import make_video

pytestmark = pytest.mark.browser


@pytest.fixture
def lecture(instructor, settings, tmp_path):  # noqa: F811
    settings.VIDEO_PROVIDERS = {"hosted": idle_entry(tmp_path, tus_chunk_bytes=CHUNK_BYTES)}
    settings.VIDEO_ROUTES = [{"use": ["hosted"]}]
    return make_video(owner=instructor, title="Limits", asset=False)


def let_through(site, bytes_per_s: int) -> None:
    """What the browser's network takes; -1 for as much as there is."""
    limits = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": bytes_per_s}
    site.browser.execute_cdp_cmd("Network.enable", {})
    site.browser.execute_cdp_cmd("Network.emulateNetworkConditions", limits)


def test_a_film_is_paused_and_goes_on_after_a_reload_at_our_own_host(site, lecture, film):  # noqa: F811
    uploader = Uploader(site)
    site.open(change_page(lecture))
    let_through(site, 2 * CHUNK_BYTES)
    try:
        uploader.choose(film)
        site.wait_for(lambda: Upload.objects.filter(offset__gt=0).exists(), "the first chunk")
        uploader.press("Pause")
        uploader.see("The upload is paused.")
        assert Upload.objects.get().state == UploadState.OPEN
        site.browser.refresh()
        uploader.see("Continue uploading limits.mp4 (")
        sent = Upload.objects.get().offset
        assert 0 < sent < film.stat().st_size
    finally:
        let_through(site, -1)
    uploader.choose(film)
    site.wait_for(lambda: lecture.assets.get().status == AssetStatus.PROCESSING, "the end of the upload")
    upload = Upload.objects.select_related("video").get()
    assert upload.state == UploadState.COMPLETED
    assert local_store(upload).path_of(upload.key).read_bytes() == film.read_bytes()
    assert [entry for entry in site.complaints() if "/api/videos/" in entry["message"]] == []
