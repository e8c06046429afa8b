"""A host that grants without a remote call is asked inside the transaction that writes the session."""

import pytest

from videos.models import PlaybackSession, SessionDoor, SessionState
from videos.services.errors import VideoFailed
from videos.services.playback import RequestContext, open_session
from videos.tests.factories import make_video
from videos.tests.local_host import BACKEND
from videos.tests.statements import counted_statements


@pytest.fixture(autouse=True)
def _local_host(settings):
    settings.VIDEO_PROVIDERS = {"local": {"BACKEND": BACKEND}}


def start(user, **asset):
    video = make_video(asset={"provider": "local"} | asset)
    return open_session(
        user=user, video=video, door=SessionDoor.PLAYBACK, device_id="the-device", context=RequestContext()
    )


def test_the_row_is_finished_when_it_is_written(viewer):
    with counted_statements() as statements:
        grant = start(viewer)
    session = PlaybackSession.objects.get(public_id=grant.session.public_id)
    assert (session.state, session.expires_at) == (SessionState.ISSUED, grant.expires_at)
    assert not [sql for sql in statements if sql.startswith("UPDATE") and "playbacksession" in sql]


def test_a_start_that_the_host_refuses_leaves_nothing_behind(viewer):
    playing = start(viewer).session
    with pytest.raises(VideoFailed):
        start(viewer, host_id="000")
    left = PlaybackSession.objects.get()
    assert (left.public_id, left.state) == (playing.public_id, SessionState.ISSUED)
