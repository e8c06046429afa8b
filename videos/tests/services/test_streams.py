import hashlib
from datetime import timedelta

import pytest
from django.utils import timezone

from videos.models import PlaybackSession, SessionDoor, SessionState
from videos.services.errors import TooManyStreams
from videos.services.playback import RequestContext, open_session
from videos.tests.factories import host_video, make_user


def start(user, video, device_id, *, door=SessionDoor.PLAYBACK):
    return open_session(user=user, video=video, door=door, device_id=device_id, context=RequestContext())


def test_the_fourth_device_finds_three_streams_in_use(sandbox, viewer):
    video = host_video(sandbox)
    for device in ("one", "two", "three"):
        start(viewer, video, device)
    with pytest.raises(TooManyStreams) as refused:
        start(viewer, video, "four")
    assert len(refused.value.sessions) == 3
    start(make_user(), video, "four")


def test_a_reload_at_the_limit_finds_its_own_stream(sandbox, viewer):
    video = host_video(sandbox)
    for device in ("one", "two", "three", "three", "two"):
        start(viewer, video, device)
    assert PlaybackSession.objects.leased(timezone.now()).count() == 3


def test_a_lapsed_lease_frees_its_stream(sandbox, viewer):
    video = host_video(sandbox)
    for device in ("one", "two", "three"):
        start(viewer, video, device)
    PlaybackSession.objects.filter(device_id="one").update(lease_expires_at=timezone.now() - timedelta(seconds=1))
    start(viewer, video, "four")


def test_a_lesson_claims_no_stream_but_needs_a_free_one(settings, sandbox, viewer):
    settings.VIDEO_MAX_CONCURRENT_STREAMS = 1
    video = host_video(sandbox)
    start(viewer, video, "one", door=SessionDoor.LESSON)
    start(viewer, video, "two", door=SessionDoor.LESSON)
    assert not PlaybackSession.objects.leased(timezone.now()).exists()
    start(viewer, video, "three")
    with pytest.raises(TooManyStreams):
        start(viewer, video, "four", door=SessionDoor.LESSON)


def test_grants_that_nobody_uses_are_capped_while_they_are_fresh(sandbox, viewer):
    videos = [host_video(sandbox) for _ in range(6)]
    for video in videos[:5]:
        start(viewer, video, "one", door=SessionDoor.LESSON)
    with pytest.raises(TooManyStreams):
        start(viewer, videos[5], "one", door=SessionDoor.LESSON)
    start(viewer, videos[4], "one", door=SessionDoor.LESSON)
    PlaybackSession.objects.update(created_at=timezone.now() - timedelta(seconds=301))
    start(viewer, videos[5], "one", door=SessionDoor.LESSON)


def test_reading_a_lesson_again_leaves_what_plays_alone(sandbox, viewer):
    video = host_video(sandbox)
    playing = start(viewer, video, "one").session
    start(viewer, video, "one", door=SessionDoor.LESSON)
    assert PlaybackSession.objects.get(public_id=playing.public_id).state == SessionState.ISSUED


def test_viewings_that_nobody_ended_are_put_away_in_time(sandbox, viewer):
    video = host_video(sandbox)
    for number in range(22):
        start(viewer, video, f"device-{number}")
        PlaybackSession.objects.update(lease_expires_at=timezone.now() - timedelta(seconds=1))
    assert PlaybackSession.objects.live().count() <= 20


def test_a_device_without_a_name_is_told_apart_by_address_and_browser(sandbox, viewer):
    video = host_video(sandbox)
    for ip in ("203.0.113.1", "203.0.113.1", "203.0.113.2"):
        open_session(user=viewer, video=video, door=SessionDoor.PLAYBACK, device_id="", context=RequestContext(ip=ip))
    assert PlaybackSession.objects.leased(timezone.now()).count() == 2


def test_the_name_of_a_device_without_one_does_not_give_its_address_away(sandbox, viewer):
    context = RequestContext(ip="203.0.113.1", user_agent="Firefox")
    open_session(user=viewer, video=host_video(sandbox), door=SessionDoor.PLAYBACK, device_id="", context=context)
    guessed = hashlib.sha256(f"{context.ip}|{context.user_agent}".encode()).hexdigest()
    device_id = PlaybackSession.objects.get().device_id
    assert device_id.startswith("unnamed-")
    assert device_id.removeprefix("unnamed-") not in guessed
