import pytest

from videos.hosted.models import Upload
from videos.hosted.services.clearing import removal
from videos.hosted.services.transcoding import steps, transcodes
from videos.hosted.tests.jobs import make_arrived_video, make_finished_video, use_small_encoder
from videos.models import AssetStatus
from videos.providers.exceptions import AssetNotFound
from videos.providers.registry import providers
from videos.services.removal import delete_video

pytestmark = pytest.mark.django_db


@pytest.fixture
def behaviour(settings, tmp_path):
    return use_small_encoder(settings, tmp_path)


def test_a_deleted_copy_plays_no_more_and_what_is_at_work_on_it_stops(behaviour, tmp_path):
    copy, _ = make_finished_video(tmp_path)
    job = transcodes.start(video=copy)
    Upload.objects.create(video=copy, kind="tus", key="x", length=1, expires_at=copy.created_at)
    former = copy.package

    def delete_meanwhile(work):
        providers["hosted"].delete(copy.host_id)

    behaviour.at["encode"] = delete_meanwhile
    steps.run_steps(job.pk)
    for row in (copy, job, former):
        row.refresh_from_db()
    assert (copy.deleted_at is None, copy.package, former.state) == (False, None, "retired")
    assert (job.state, job.failure_code) == ("failed", "deleted")
    assert copy.uploads.get().state == "ended"
    with pytest.raises(AssetNotFound):
        providers["hosted"].get_asset(copy.host_id)


def test_a_video_that_is_deleted_takes_its_copy_along(
    behaviour, settings, tmp_path, django_capture_on_commit_callbacks
):
    copy, video = make_finished_video(tmp_path)
    settings.VIDEO_ENQUEUE = "videos.in_process.enqueue"
    with django_capture_on_commit_callbacks(execute=True):
        delete_video(video)
    copy.refresh_from_db()
    assert copy.deleted_at is not None
    assert video.assets.get().status == AssetStatus.DELETED


@pytest.mark.parametrize("host_id", ["no id", "0" * 32, ""])
def test_deleting_what_is_not_there_is_no_error(behaviour, host_id):
    removal.delete(alias="hosted", host_id=host_id)


def test_deleting_twice_and_at_another_host_changes_nothing(behaviour, tmp_path):
    copy, _ = make_arrived_video(tmp_path)
    removal.delete(alias="elsewhere", host_id=copy.host_id)
    copy.refresh_from_db()
    assert copy.deleted_at is None
    removal.delete(alias="hosted", host_id=copy.host_id)
    copy.refresh_from_db()
    deleted_at = copy.deleted_at
    removal.delete(alias="hosted", host_id=copy.host_id)
    copy.refresh_from_db()
    assert copy.deleted_at == deleted_at
