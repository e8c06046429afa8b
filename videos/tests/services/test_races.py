"""Real threads against the real database; the stand-in's delay holds a start open while something else happens."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction
from django.utils import timezone

from videos.models import Asset, PlaybackSession, SessionDoor, SessionState, Viewer
from videos.services.assets import attach_host_id
from videos.services.errors import SessionEnded, SessionRevoked, TooManyStreams
from videos.services.grants import Grant
from videos.services.playback import RequestContext, open_session
from videos.services.sessions import heartbeat, revoke
from videos.tests import rights
from videos.tests.factories import host_video, make_user

pytestmark = pytest.mark.django_db(transaction=True)


def start(user, video, device_id, door=SessionDoor.PLAYBACK):
    return open_session(user=user, video=video, door=door, device_id=device_id, context=RequestContext())


def at_once(calls):
    """Run all calls at the same moment in threads of their own; gives their results or exceptions, in order."""
    barrier = threading.Barrier(len(calls))

    def run(call):
        barrier.wait(timeout=10)
        try:
            return call()
        except Exception as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def test_eight_starts_against_a_limit_of_three_give_three_leases(sandbox):
    user, video = make_user(), host_video(sandbox)
    results = at_once([lambda number=number: start(user, video, f"device-{number}") for number in range(8)])
    refused = [result for result in results if isinstance(result, TooManyStreams)]
    assert len(refused) == 5, results
    assert PlaybackSession.objects.leased(timezone.now()).count() == 3
    assert Viewer.objects.count() == 1


def test_eight_lessons_that_claim_at_once_give_three_leases(sandbox):
    user = make_user()
    grants = [start(user, host_video(sandbox), f"device-{number}", SessionDoor.LESSON).session for number in range(5)]
    results = at_once(
        [
            lambda session=session: heartbeat(public_id=session.public_id, token=session.token, seq=1, position_s=1.0)
            for session in grants
        ]
    )
    assert len([result for result in results if isinstance(result, TooManyStreams)]) == 2, results
    assert PlaybackSession.objects.leased(timezone.now()).count() == 3


def test_a_reload_racing_itself_holds_one_lease(sandbox):
    user, video = make_user(), host_video(sandbox)
    results = at_once([lambda: start(user, video, "the-device") for _ in range(6)])
    assert {type(result) for result in results} <= {Grant, SessionEnded}, results
    assert PlaybackSession.objects.leased(timezone.now()).count() == 1


def test_a_revocation_while_the_host_thinks_wins(sandbox):
    user, video = make_user(), host_video(sandbox)
    sandbox.fault(service="vdocipher", path=r"/otp", times=1, delay_ms=1500)

    def take_the_right_away():
        wait_for_a_session_in(SessionState.ISSUING)
        return revoke(user_id=user.pk, video_ids=[video.pk], reason="refund")

    granted, revoked = at_once([lambda: start(user, video, "the-device"), take_the_right_away])
    assert revoked == 1
    assert isinstance(granted, SessionRevoked)
    assert list(PlaybackSession.objects.values_list("state", "lease_expires_at")) == [("revoked", None)]


def test_a_right_taken_away_between_check_and_row_leaves_no_usable_session(sandbox, settings):
    settings.VIDEO_ACCESS_POLICY = "videos.tests.rights.decide"
    user, video = make_user(), host_video(sandbox)
    rights.give(user, video)
    checked = threading.Event()
    rights.after_decision = lambda: (checked.set(), time.sleep(0.5))

    def take_the_right_away():
        assert checked.wait(timeout=10)
        with transaction.atomic():
            rights.take(user, video)
            revoke(user_id=user.pk, video_ids=[video.pk], reason="refund")

    try:
        _, taken = at_once([lambda: start(user, video, "the-device"), take_the_right_away])
    finally:
        rights.after_decision = None
    assert not isinstance(taken, Exception), taken
    assert list(PlaybackSession.objects.values_list("state", "lease_expires_at")) == [("revoked", None)]


def test_the_same_id_pasted_twice_at_once_makes_one_asset(sandbox):
    owner, host_id = make_user(), sandbox.add_video()
    results = at_once([lambda: attach_host_id(host_id=host_id, title="Twice", owner=owner) for _ in range(4)])
    assert not [result for result in results if isinstance(result, Exception)], results
    assert Asset.objects.count() == 1
    assert Asset.objects.get().video.title == "Twice"


def wait_for_a_session_in(state):
    until = time.monotonic() + 5
    while not PlaybackSession.objects.filter(state=state).exists():
        assert time.monotonic() < until
        time.sleep(0.02)
