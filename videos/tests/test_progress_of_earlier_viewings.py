from datetime import timedelta
from importlib import import_module
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.db import connection
from django.utils import timezone

from videos.models import PlaybackSession, VideoProgress, Viewer
from videos.tests.factories import make_user, make_video

pytestmark = pytest.mark.django_db

MIGRATION = import_module("videos.migrations.0010_progress_of_earlier_viewings")


def keep_places():
    MIGRATION.keep_the_place_of_earlier_viewings(apps, SimpleNamespace(connection=connection))


def make_session(viewer, video, position_s, **overrides):
    return PlaybackSession.objects.create(
        viewer=viewer,
        video=video,
        asset=video.get_current_asset(),
        device_id="device",
        door="playback",
        expires_at=timezone.now(),
        position_s=position_s,
        **overrides,
    )


def test_each_viewer_finds_their_place_again(monkeypatch):
    monkeypatch.setattr(MIGRATION, "VIEWERS_AT_ONCE", 2)
    video, other, begun = make_video(), make_video(asset=False), timezone.now() - timedelta(days=3)
    viewers = [Viewer.objects.create(user=make_user()) for _ in range(5)]
    for number, viewer in enumerate(viewers):
        make_session(viewer, video, 20 + number, played_at=begun)
        make_session(viewer, video, 30 + number)
        make_session(viewer, video, 0)
    make_session(viewers[0], other, 7, is_counted=False)
    keep_places()
    keep_places()
    rows = list(VideoProgress.objects.filter(video=video).order_by("viewer"))
    assert [row.position_s for row in rows] == [30, 31, 32, 33, 34]
    assert {(row.duration_ms, row.first_played_at, row.is_counted) for row in rows} == {(60_000, begun, True)}
    elsewhere = VideoProgress.objects.get(video=other)
    assert (elsewhere.viewer, elsewhere.position_s, elsewhere.duration_ms) == (viewers[0], 7, None)
    assert not elsewhere.is_counted


def test_what_is_known_already_is_left_alone():
    video, viewer = make_video(), Viewer.objects.create(user=make_user())
    known = VideoProgress.objects.create(video=video, viewer=viewer, position_s=50)
    make_session(viewer, video, 10)
    keep_places()
    known.refresh_from_db()
    assert known.position_s == 50
