from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from videos.models import Asset, AssetStatus, Video
from videos.services.reaping import REAP_BATCH, give_up, reap_uploads
from videos.services.uploads import create_upload, replace_file
from videos.signals import video_failed
from videos.tests.factories import host_video, make_asset, make_user

pytestmark = pytest.mark.django_db
FILE = {"filename": "limits.mp4", "size_bytes": 1000, "content_type": "video/mp4"}


@pytest.fixture(autouse=True)
def _routes(sandbox, settings):
    settings.VIDEO_ROUTES = [{"use": ["vdocipher"]}]
    settings.VIDEO_UPLOAD_GRACE_S = 3600


@pytest.fixture
def owner():
    return make_user(is_staff=True)


def overdue(asset: Asset, **late) -> Asset:
    ended = timezone.now() - timedelta(**(late or {"hours": 1, "seconds": 1}))
    Asset.objects.filter(pk=asset.pk).update(upload_expires_at=ended)
    return asset


def waiting_upload(owner) -> Asset:
    return create_upload(owner=owner, title="Limits", **FILE)[1]


def methods(sandbox) -> list[str]:
    return [call["method"] for call in sandbox.calls("vdocipher")]


def test_an_upload_that_never_came_fails_and_goes_at_the_host(sandbox, owner, django_capture_on_commit_callbacks):
    asset = overdue(waiting_upload(owner))
    told = []
    video_failed.connect(receiver := lambda **values: told.append(values["reason"]))
    with django_capture_on_commit_callbacks(execute=True):
        assert reap_uploads() == 1
    video_failed.disconnect(receiver)
    asset.refresh_from_db()
    assert (asset.status, asset.failure_code, asset.is_current) == (AssetStatus.FAILED, "never_uploaded", True)
    assert asset.next_poll_at is None
    assert told == [asset.failure_reason]
    assert methods(sandbox)[-1] == "DELETE"
    assert reap_uploads() == 0


def test_an_upload_within_its_grace_is_left_alone(sandbox, owner):
    overdue(waiting_upload(owner), minutes=59)
    assert reap_uploads() == 0
    assert methods(sandbox) == ["PUT"]


def test_a_file_that_arrived_unheard_is_found(sandbox, owner, django_capture_on_commit_callbacks):
    asset = overdue(waiting_upload(owner))
    sandbox.set_video_status(asset.host_id, "ready", send_hook=False)
    with django_capture_on_commit_callbacks(execute=True):
        assert reap_uploads() == 0
    asset.refresh_from_db()
    assert asset.status == AssetStatus.READY


def test_a_replacement_that_never_came_is_dropped_and_the_video_plays_on(sandbox, owner):
    video = host_video(sandbox, owner=owner)
    asset, _ = replace_file(video=video, actor=owner, **FILE)
    overdue(asset)
    assert reap_uploads() == 1
    asset.refresh_from_db()
    assert (asset.status, asset.is_next) == (AssetStatus.DELETED, False)
    assert Video.objects.with_current_asset().get(pk=video.pk).get_current_asset().status == AssetStatus.READY


@pytest.mark.parametrize("path", ["/videos/{host_id}", "/videos"])
def test_a_host_that_is_down_is_asked_again_by_the_next_run(sandbox, owner, path):
    asset = overdue(waiting_upload(owner))
    sandbox.fault(service="vdocipher", path=path.format(host_id=asset.host_id), times=1, status=401)
    assert reap_uploads() == 0
    asset.refresh_from_db()
    assert asset.status == AssetStatus.WAITING
    assert reap_uploads() == 1


def test_uploads_to_a_host_that_is_no_longer_set_up_hold_up_no_other(sandbox, owner):
    asset = waiting_upload(owner)
    for number in range(REAP_BATCH):
        overdue(make_asset(provider="former", status=AssetStatus.WAITING), hours=number + 2)
    overdue(asset)
    assert reap_uploads() == 1
    asset.refresh_from_db()
    assert asset.failure_code == "never_uploaded"


def test_a_file_that_arrives_while_its_upload_is_given_up_is_kept(owner):
    asset = waiting_upload(owner)
    Asset.objects.filter(pk=asset.pk).update(status=AssetStatus.PROCESSING)
    assert give_up(asset) is False
    asset.refresh_from_db()
    assert (asset.status, asset.failure_code) == (AssetStatus.PROCESSING, "")


def test_a_dry_run_lists_and_changes_nothing(sandbox, owner, capsys):
    asset = overdue(waiting_upload(owner))
    call_command("reap_uploads", dry_run=True)
    assert asset.host_id in capsys.readouterr().out
    assert methods(sandbox) == ["PUT"]
    call_command("reap_uploads")
    assert "1 uploads given up" in capsys.readouterr().out
