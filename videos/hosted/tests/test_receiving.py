"""Files that come through this server by `POST {id}/file/`."""

import io

import pytest
from django.core.management import call_command

from videos.hosted.models import HostedVideo, UploadState
from videos.hosted.tests.clips import clip
from videos.hosted.tests.conftest import hosted_entry
from videos.models import AssetStatus
from videos.providers.exceptions import AssetNotFound, ProviderUnavailable, Rejected
from videos.providers.registry import providers
from videos.providers.types import UploadRequest
from videos.services.transfers import send_file
from videos.tests.factories import make_user, make_video

pytestmark = pytest.mark.django_db(transaction=True)


def open_upload(size):
    request = UploadRequest(title="A film", filename="film.mp4", size_bytes=size)
    return providers["hosted"].create_upload(request).host_id


def test_a_small_file_comes_through_this_server_and_is_played_once_a_worker_saw_it(hosted, settings):
    """Without Celery: nothing is encoded in the request that brings the file."""
    settings.VIDEO_ENQUEUE = "videos.in_process.enqueue"
    owner = make_user(is_staff=True, is_superuser=True)
    film = clip().read_bytes()
    video = make_video(asset=False, owner=owner)
    asset = send_file(
        video=video,
        actor=owner,
        stream=io.BytesIO(film),
        size_bytes=len(film),
        filename="film.mp4",
        content_type="video/mp4",
    )
    assert asset.status == AssetStatus.PROCESSING
    call_command("run_transcodes")
    asset.refresh_from_db()
    assert asset.status == AssetStatus.READY
    copy = HostedVideo.objects.get()
    assert (copy.source_bytes, copy.uploads.get().state) == (len(film), UploadState.COMPLETED)
    assert list(hosted.work_path.glob("received-*")) == []


def test_a_file_of_another_length_than_announced_is_refused(hosted):
    host_id = open_upload(5)
    with pytest.raises(Rejected):
        providers["hosted"].receive_file(host_id, io.BytesIO(b"film"), size_bytes=4)
    assert HostedVideo.objects.get().source_key == ""


def test_a_copy_that_waits_for_no_file_takes_none(hosted):
    for host_id in ("0" * 32, "no-id"):
        with pytest.raises(AssetNotFound):
            providers["hosted"].receive_file(host_id, io.BytesIO(b"film"), size_bytes=4)


def test_a_file_that_the_disk_has_no_room_for_is_refused_before_it_is_sent(settings, tmp_path):
    settings.VIDEO_PROVIDERS = {"hosted": hosted_entry(tmp_path, upload_max_bytes=10**18)}
    with pytest.raises(ProviderUnavailable):
        open_upload(10**17)
    assert not HostedVideo.objects.exists()
