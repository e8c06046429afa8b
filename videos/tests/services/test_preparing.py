import pytest

from videos.models import AssetStatus
from videos.services.errors import (
    CannotPrepare,
    InvalidRequest,
    NotYours,
    SourceGone,
    TranscodeRunning,
    VideoFailed,
)
from videos.services.preparing import preparation_of, prepare_again
from videos.tests import local_host, preparing_host
from videos.tests.factories import make_asset, make_user, make_video

pytestmark = pytest.mark.django_db


@pytest.fixture
def host(settings):
    """The options of the host `own`."""
    options = {"asked": []}
    settings.VIDEO_PROVIDERS = {"own": {"BACKEND": preparing_host.BACKEND, "OPTIONS": options}}
    settings.VIDEO_MANAGE_POLICY = "videos.tests.rights.owns"
    return options


def made(status=AssetStatus.READY, **values):
    return make_video(owner=make_user(), asset={"provider": "own", "status": status, **values})


def test_the_host_is_asked_and_the_video_remembers_what_it_wants(host):
    video = made()
    asset = prepare_again(video=video, actor=video.owner, quality="high", protection="open")
    assert host["asked"] == [
        {"host_id": asset.host_id, "quality": "high", "protection": "open", "requested_by": str(video.owner.pk)}
    ]
    video.refresh_from_db()
    assert (video.quality, video.protection) == ("high", "open")
    assert video.get_current_asset().next_poll_at is not None


def test_without_a_choice_everything_stays_and_no_choice_of_protection_is_the_strongest(host):
    video = made()
    prepare_again(video=video, actor=video.owner)
    prepare_again(video=video, actor=video.owner, quality="", protection="")
    assert [(asked["quality"], asked["protection"]) for asked in host["asked"]] == [(None, None), ("", "encrypted")]


def test_a_replacement_that_failed_is_meant_before_what_plays(host):
    video = made()
    waiting = make_asset(video=video, provider="own", status=AssetStatus.WAITING, is_current=False, is_next=True)
    assert prepare_again(video=video, actor=video.owner).is_current
    waiting.status = AssetStatus.FAILED
    waiting.save()
    assert prepare_again(video=video, actor=video.owner) == waiting


@pytest.mark.parametrize(("code", "error"), [("transcode_running", TranscodeRunning), ("source_gone", SourceGone)])
def test_a_refusal_is_said_in_words_and_changes_nothing(host, code, error):
    host["refusal"] = code
    video = made()
    with pytest.raises(error):
        prepare_again(video=video, actor=video.owner, quality="high")
    video.refresh_from_db()
    assert video.quality == ""


def test_who_may_not_or_cannot_is_refused(host, settings):
    video = made()
    with pytest.raises(NotYours):
        prepare_again(video=video, actor=make_user())
    with pytest.raises(InvalidRequest, match="protection_unavailable"):
        prepare_again(video=video, actor=video.owner, protection="drm")
    for status in (AssetStatus.DELETED, None):
        gone = made(status) if status else make_video(owner=video.owner, asset=False)
        with pytest.raises(VideoFailed):
            prepare_again(video=gone, actor=gone.owner)
    assert host["asked"] == []
    settings.VIDEO_PROVIDERS = {"own": {"BACKEND": local_host.BACKEND}}
    with pytest.raises(CannotPrepare):
        prepare_again(video=video, actor=video.owner)
    assert preparation_of(video.get_current_asset()) is None
