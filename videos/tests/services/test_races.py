"""Real threads against the real database; the stand-in's delay holds a start open while something else happens."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from videos import signals
from videos.models import Asset, PlaybackSession, RefusedStart, SessionDoor, SessionState, VideoProgress, Viewer
from videos.services.assets import attach_host_id
from videos.services.errors import SessionEnded, SessionRevoked, TooManyStreams, VideosError
from videos.services.grants import Grant
from videos.services.playback import RequestContext, open_session
from videos.services.removal import delete_video
from videos.services.sessions import end_session, heartbeat, revoke
from videos.services.streams import lock_viewer
from videos.tests import rights
from videos.tests.factories import host_video, make_user, make_video

pytestmark = pytest.mark.django_db(transaction=True)

LOCAL = {"local": {"BACKEND": "videos.tests.local_host.LocalHost"}}


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


def test_thirty_two_starts_against_a_limit_of_three_give_three_leases(settings):
    settings.VIDEO_PROVIDERS = LOCAL
    user, video = make_user(), make_video(asset={"provider": "local"})
    results = at_once([lambda number=number: start(user, video, f"device-{number}") for number in range(32)])
    assert len([result for result in results if isinstance(result, TooManyStreams)]) == 29, results
    assert PlaybackSession.objects.leased(timezone.now()).count() == 3
    assert RefusedStart.objects.filter(code="too_many_streams").count() == 29


def test_devices_that_report_at_once_lose_nothing_of_each_other(settings):
    settings.VIDEO_PROVIDERS = LOCAL
    user, video = make_user(), make_video(asset={"provider": "local"})
    sessions = [start(user, video, f"device-{number}").session for number in range(3)]
    PlaybackSession.objects.update(created_at=timezone.now() - timedelta(hours=1))
    completed = []
    signals.video_completed.connect(receiver := lambda **sent: completed.append(sent["session"]))
    results = at_once(
        [
            lambda session=session, number=number: [
                played(session, seq, [[part * 6 + number * 2, part * 6 + number * 2 + 2]])
                for seq, part in enumerate(range(10))
            ]
            for number, session in enumerate(sessions)
        ]
    )
    signals.video_completed.disconnect(receiver)
    assert not [result for result in results if isinstance(result, Exception)], results
    progress = VideoProgress.objects.get()
    assert progress.played == [[0, 60_000]]
    assert progress.completed_at is not None
    assert len(completed) == 1


def test_reports_of_one_session_that_arrive_at_once_all_count_once(settings):
    settings.VIDEO_PROVIDERS = LOCAL
    session = start(make_user(), make_video(asset={"provider": "local"}), "the-device").session
    PlaybackSession.objects.update(created_at=timezone.now() - timedelta(hours=1))
    heard = []
    signals.playback_started.connect(receiver := lambda **sent: heard.append(sent["session"]))
    calls = [lambda seq=seq: played(session, seq, [[seq, seq + 1]]) for seq in (0, 1, 2, 3, 0, 1, 2, 3)]
    results = at_once(calls)
    signals.playback_started.disconnect(receiver)
    assert not [result for result in results if isinstance(result, Exception)], results
    row = PlaybackSession.objects.get()
    assert (row.watched_ms, row.played, row.seen_seqs) == (4_000, [[0, 4_000, 1]], [[0, 3]])
    assert VideoProgress.objects.get().played == [[0, 4_000]]
    assert len(heard) == 1


def test_claims_beats_ends_and_revocations_at_once_wait_for_each_other_without_a_deadlock(settings):
    settings.VIDEO_PROVIDERS = LOCAL
    user, video = make_user(), make_video(asset={"provider": "local"})
    playing = start(user, video, "device-1").session
    lessons = [start(user, make_video(asset={"provider": "local"}), "device-1", SessionDoor.LESSON).session]
    lessons.append(start(user, video, "device-2", SessionDoor.LESSON).session)
    calls = [lambda: [played(playing, seq, [[seq, seq + 1]]) for seq in range(15)]]
    calls += [lambda session=session: played(session, 0, [[0, 1]]) for session in lessons]
    calls += [lambda: start(user, video, "device-3"), lambda: start(user, video, "device-1")]
    calls += [lambda: end_session(public_id=playing.public_id, token=playing.token, position_s=9.0)]
    calls += [lambda: revoke(user_id=user.pk, video_ids=None, reason="refund")]
    results = at_once(calls)
    unexpected = [result for result in results if isinstance(result, Exception) and not isinstance(result, VideosError)]
    assert not unexpected, unexpected


def test_a_video_is_deleted_while_its_viewer_starts_another_viewing_without_a_deadlock(settings):
    settings.VIDEO_PROVIDERS = LOCAL
    user, video = make_user(), make_video(asset={"provider": "local"})
    first, second = (start(user, video, f"device-{number}").session.public_id for number in range(2))
    is_locked = threading.Event()

    def end_both_from_the_second_on():
        with transaction.atomic():
            lock_viewer(user_id=user.pk)
            for public_id in (second, first):
                PlaybackSession.objects.filter(public_id=public_id).update(end_reason="taken_over")
                is_locked.set()
                time.sleep(0.3)

    def delete_meanwhile():
        is_locked.wait(timeout=10)
        delete_video(video)

    assert at_once([end_both_from_the_second_on, delete_meanwhile]) == [None, None]
    assert not PlaybackSession.objects.live().exists()


def played(session, seq, spans):
    return heartbeat(public_id=session.public_id, token=session.token, seq=seq, position_s=1.0, played=spans)


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
