"""An instructor uploads a film in the admin, straight to the host."""

import os
import time
from pathlib import Path

import pytest
from moto.server import ThreadedMotoServer

from courses.tests.factories import enroll_student, make_lesson
from eleven_tutors.tests.browser.site import Player
from eleven_tutors.tests.browser.uploader import Uploader, padded_film, sign_in_instructor
from users.tests.factories import make_user
from videos.models import AssetStatus, Video, VideoProgress, WebhookEvent
from videos.providers.registry import providers
from videos.tests import bucket_host
from videos.tests.factories import make_video

pytestmark = pytest.mark.browser

MIB = 1024 * 1024
CHUNK_BYTES = 5 * MIB


@pytest.fixture(scope="session")
def film(tmp_path_factory):
    """A real MP4 of 40 s and of several chunks: a box that every player passes over makes it that long."""
    return padded_film(tmp_path_factory.mktemp("films") / "limits.mp4", 4 * CHUNK_BYTES + MIB)


@pytest.fixture
def instructor(site, settings, sandbox):
    settings.VIDEO_ROUTES = [{"use": ["cloudflare"]}]
    settings.VIDEO_ENQUEUE = "videos.in_process.enqueue"
    settings.VIDEO_PROVIDERS["cloudflare"]["OPTIONS"] |= {"form_max_bytes": MIB, "tus_chunk_bytes": CHUNK_BYTES}
    sandbox.context.webhooks.cloudflare_url = f"{site.url}/api/videos/webhooks/cloudflare/"
    return sign_in_instructor(site)


def accepted_bytes(sandbox) -> list[int]:
    """The offsets that chunks were sent from, oldest first."""
    patches = [call for call in sandbox.calls("cloudflare") if call["method"] == "PATCH" and call["status"] == 204]
    return [int(call["headers"].get("Upload-Offset", call["headers"].get("upload-offset"))) for call in patches]


def test_a_film_is_uploaded_goes_on_after_a_reload_and_becomes_ready(site, instructor, sandbox, film):
    uploader = Uploader(site)
    site.open("/admin/videos/video/add/")
    sandbox.fault(service="cloudflare", path="/cloudflare/tus", times=-1, delay_ms=700)
    uploader.choose(film)
    uploader.see("Uploading limits.mp4")
    site.wait_for(lambda: accepted_bytes(sandbox), "the first chunk")
    sandbox.context.faults.clear()
    sandbox.fault(service="cloudflare", path="/cloudflare/tus", times=-1, status=503)
    site.browser.refresh()

    video = Video.objects.get()
    assert (video.title, video.owner) == ("limits", instructor)
    assert str(video.pk) in site.browser.current_url
    uploader.see("Continue uploading limits.mp4 (")
    before = accepted_bytes(sandbox)
    sandbox.context.faults.clear()
    uploader.choose(film)
    uploader.see("The video is ready to be watched.")

    offsets = accepted_bytes(sandbox)
    assert offsets[len(before)] >= CHUNK_BYTES
    assert offsets == sorted(set(offsets))
    asset = video.assets.get()
    assert (asset.status, asset.size_bytes) == (AssetStatus.READY, film.stat().st_size)
    assert asset.source_name == "limits.mp4"
    assert WebhookEvent.objects.filter(asset=asset).exists()
    assert site.browser.execute_script("return Object.keys(localStorage).filter(k => k.startsWith('videos.'))") == []

    play_on_two_devices(site, video)


def play_on_two_devices(site, video) -> None:
    """The uploaded film itself, and on another device where it was left."""
    lesson, student = make_lesson(video=video), make_user()
    enroll_student(student, lesson.part.course)
    site.forget_everything()
    site.sign_in(student)
    site.open(f"/lessons/{lesson.slug}")
    with Player(site) as player:
        player.wait_until_it_moves()
        assert site.browser.execute_script("return document.querySelector('video').duration") == pytest.approx(40, 0.1)
        site.browser.execute_script("document.querySelector('video').currentTime = 20")
        left_at = site.wait_for(lambda: (now := player.time_s()) > 22 and now, "two seconds after the jump")
    site.open("/")
    site.wait_for(lambda: VideoProgress.objects.get().position_s > 21, "the last report")
    site.forget_everything()
    site.sign_in(student)
    site.open(f"/lessons/{lesson.slug}")
    with Player(site) as player:
        site.wait_for(lambda: player.time_s() == pytest.approx(left_at, abs=3), "the same second", timeout_s=15)


def test_a_bucket_takes_the_file_by_one_put(site, lecture, film, settings):
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        options = {"endpoint_url": f"http://{host}:{port}"}
        settings.VIDEO_PROVIDERS = {"bucket": {"BACKEND": bucket_host.BACKEND, "OPTIONS": options}}
        settings.VIDEO_ROUTES = [{"use": ["bucket"]}]
        provider = providers["bucket"]
        provider._client.create_bucket(Bucket=provider.bucket)
        uploader = Uploader(site)
        site.open(change_page(lecture))
        uploader.choose(film)
        uploader.see("The video is ready to be watched.")
        asset = lecture.assets.get()
        assert provider.get_asset(asset.host_id).size_bytes == film.stat().st_size
    finally:
        server.stop()


@pytest.fixture
def lecture(instructor):
    return make_video(owner=instructor, title="Limits", asset=False)


def change_page(video) -> str:
    return f"/admin/videos/video/{video.pk}/change/"


def test_another_file_does_not_go_on_with_an_upload(site, lecture, sandbox, film, tmp_path):
    uploader, other = Uploader(site), tmp_path / "sequences.mp4"
    other.write_bytes(bytes(2 * MIB))
    site.open(change_page(lecture))
    sandbox.fault(service="cloudflare", path="/cloudflare/tus", times=-1, delay_ms=700)
    uploader.choose(film)
    site.wait_for(lambda: accepted_bytes(sandbox), "the first chunk")
    site.browser.refresh()
    uploader.see("Continue uploading limits.mp4")
    uploader.choose(other)
    uploader.see("This is another file. Choose limits.mp4")
    uploader.press("Forget this upload")
    sandbox.context.faults.clear()
    uploader.choose(other)
    uploader.see("The file")
    assert lecture.assets.filter(is_current=True).get().source_name == "sequences.mp4"


def test_a_pause_holds_the_upload_until_it_is_resumed(site, lecture, sandbox, film):
    uploader = Uploader(site)
    site.open(change_page(lecture))
    sandbox.fault(service="cloudflare", path="/cloudflare/tus", times=-1, delay_ms=700)
    uploader.choose(film)
    site.wait_for(lambda: accepted_bytes(sandbox), "the first chunk")
    uploader.press("Pause")
    uploader.see("The upload is paused.")
    time.sleep(2)
    held = accepted_bytes(sandbox)
    assert len(held) < film.stat().st_size // CHUNK_BYTES
    time.sleep(2)
    assert accepted_bytes(sandbox) == held
    sandbox.context.faults.clear()
    uploader.press("Resume")
    uploader.see("The video is ready to be watched.")


def test_a_host_that_refuses_a_form_says_why_and_the_upload_can_be_tried_again(site, lecture, sandbox, film, settings):
    settings.VIDEO_ROUTES = [{"use": ["vdocipher"]}]
    sandbox.context.webhooks.vdocipher_url = f"{site.url}/api/videos/webhooks/vdocipher/?token=hook-token-for-tests"
    uploader = Uploader(site)
    refusal = "<Error><Code>EntityTooLarge</Code><Message>Your proposed upload exceeds the maximum</Message></Error>"
    sandbox.fault(
        service="vdocipher",
        path="/vdocipher/upload",
        times=1,
        status=400,
        body=refusal,
        headers={"Access-Control-Allow-Origin": "*"},
    )
    site.open(change_page(lecture))
    uploader.choose(film)
    uploader.see("The video host does not take a file this large. (Your proposed upload exceeds the maximum)")
    uploader.press("Try again")
    uploader.see("The video is ready to be watched.")
    assert lecture.assets.filter(is_current=True).get().status == AssetStatus.READY


@pytest.mark.parametrize("width", [1280, 390])
def test_the_uploader_fits_the_page(site, lecture, sandbox, film, width, tmp_path):
    site.resize(width)
    try:
        uploader = Uploader(site)
        site.open(change_page(lecture))
        uploader.see("This video has no file yet.")
        sandbox.fault(service="cloudflare", path="/cloudflare/tus", times=-1, delay_ms=700)
        uploader.choose(film)
        uploader.see("Uploading limits.mp4")
        box = site.find("video-uploader").rect
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
        site.photograph(Path(os.environ.get("SCREENSHOTS", tmp_path)) / f"upload-{width}.png")
        uploader.press("Cancel")
        uploader.see("The upload was cancelled.")
    finally:
        site.resize_back()
