import pytest

from videos import signals
from videos.in_process import enqueue
from videos.models import Video

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_failing_listener_is_logged_and_breaks_neither_the_sender_nor_the_others(caplog):
    heard = []

    def broken(**sent):
        raise ValueError("a listener's own mistake")

    def working(**sent):
        heard.append(sent["video"])

    signals.video_ready.connect(broken)
    signals.video_ready.connect(working)
    try:
        signals.send_on_commit(signals.video_ready, Video, video="the video", asset=None)
    finally:
        signals.video_ready.disconnect(broken)
        signals.video_ready.disconnect(working)
    assert heard == ["the video"]
    assert "a listener's own mistake" in caplog.text


def test_work_that_fails_after_the_commit_is_logged_and_fails_no_request(caplog):
    enqueue("videos.refresh_asset", "no number")
    assert "no number" in caplog.text
