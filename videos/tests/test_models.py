import uuid

import pytest
from django.db import connection
from django.db.transaction import TransactionManagementError

from videos.models import Asset, PlaybackSession, SessionState, Video, Viewer
from videos.tests.factories import make_asset, make_user, make_video

pytestmark = pytest.mark.django_db


def loaded(instance, fields):
    return {field: getattr(instance, field) for field in fields}


def names(model):
    return [field.attname for field in model._meta.concrete_fields]


def test_a_video_to_play_is_the_video_with_its_current_asset(django_assert_num_queries):
    video = make_video(owner=make_user(), asset={"duration_s": 12.5, "poster_url": "https://host.test/1.jpg"})
    make_asset(video=video, is_current=False)
    expected = Video.objects.with_current_asset().get(pk=video.pk)
    with django_assert_num_queries(1):
        found = Video.objects.to_play(video.pk)
        asset = found.get_current_asset()
        known = loaded(asset, set(names(Asset)) - asset.get_deferred_fields())
    assert loaded(found, names(Video)) == loaded(expected, names(Video))
    assert {"provider", "host_id", "status", "protection", "duration_s", "poster_url"} <= set(known)
    assert loaded(asset, names(Asset)) == loaded(expected.get_current_asset(), names(Asset))


def test_a_video_without_a_copy_has_none_to_play(django_assert_num_queries):
    video = Video.objects.create(title="Empty")
    with django_assert_num_queries(1):
        assert Video.objects.to_play(video.pk).get_current_asset() is None
    assert Video.objects.to_play(uuid.uuid4()) is None


def test_a_session_to_beat_has_the_values_of_its_row():
    video, viewer = make_video(), Viewer.objects.create(user=make_user())
    session = PlaybackSession.objects.create(
        video=video, viewer=viewer, device_id="one", door="playback", expires_at=video.created_at
    )
    found = PlaybackSession.objects.to_beat(session.public_id)
    assert loaded(found, names(PlaybackSession)) == loaded(session, names(PlaybackSession))
    assert PlaybackSession.objects.to_beat(uuid.uuid4()) is None


def test_the_live_sessions_of_a_viewer_are_those_of_the_live_states():
    video, viewer = make_video(), Viewer.objects.create(user=make_user())
    for state in SessionState:
        PlaybackSession.objects.create(
            video=video, viewer=viewer, device_id="one", door="playback", expires_at=video.created_at, state=state
        )
    live = PlaybackSession.objects.live_of(viewer)
    assert live == list(viewer.sessions.live().order_by("id"))
    assert loaded(live[0], names(PlaybackSession)) == loaded(viewer.sessions.get(pk=live[0].pk), names(PlaybackSession))


@pytest.mark.django_db(transaction=True)
def test_a_viewer_is_locked_in_a_transaction_alone():
    if not connection.features.has_select_for_update:
        pytest.skip("this database locks no rows")
    with pytest.raises(TransactionManagementError):
        Viewer.objects.lock(user_id=make_user().pk, device_key="", resume_of=None)
