"""What heartbeats add up to: whatever order they come in, however often, and wherever they come from."""

import random
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.utils import timezone

from videos import signals
from videos.models import (
    Asset,
    EngagementEvent,
    PlaybackSession,
    SessionDoor,
    SessionState,
    VideoProgress,
)
from videos.services import reports, sessions
from videos.services.errors import InvalidRequest, SessionEnded, SessionRevoked, TooManyStreams
from videos.services.playback import RequestContext, open_session
from videos.services.sessions import end_session, heartbeat, revoke
from videos.services.tokens import session_token
from videos.tests.factories import make_asset, make_user, make_video
from videos.tests.statements import counted_statements

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _local_host(settings):
    settings.VIDEO_PROVIDERS = {"local": {"BACKEND": "videos.tests.local_host.LocalHost"}}


@pytest.fixture
def heard():
    """Which sessions the host project heard of, by the name of the signal."""
    heard = SimpleNamespace(started=[], completed=[])

    def on_start(**sent):
        heard.started.append(sent["session"].public_id)

    def on_completion(**sent):
        heard.completed.append(sent["session"].public_id)

    signals.playback_started.connect(on_start)
    signals.video_completed.connect(on_completion)
    yield heard
    signals.playback_started.disconnect(on_start)
    signals.video_completed.disconnect(on_completion)


@pytest.fixture
def video():
    return local_video()


def local_video(duration_s=100.0):
    return make_video(asset={"provider": "local", "duration_s": duration_s})


def start(viewer, video, *, device_id="device-one", door=SessionDoor.PLAYBACK, age_s=3600):
    """A session that began an hour ago, so that an hour's worth of watching is believed."""
    granted = open_session(user=viewer, video=video, door=door, device_id=device_id, context=RequestContext()).session
    made = PlaybackSession.objects.filter(public_id=granted.public_id)
    made.update(created_at=timezone.now() - timedelta(seconds=age_s))
    return granted


def beat(session, seq, played=None, position=0.0, **more):
    token = session_token(session.public_id)
    return heartbeat(public_id=session.public_id, token=token, seq=seq, position_s=position, played=played, **more)


def row_of(session) -> PlaybackSession:
    return PlaybackSession.objects.get(public_id=session.public_id)


def progress() -> VideoProgress:
    return VideoProgress.objects.get()


def outcome(session) -> tuple:
    row, seen = row_of(session), progress()
    return row.played, row.watched_ms, row.covered_ms, row.seen_seqs, seen.played, seen.covered_ms


def test_what_was_played_is_kept_once_for_the_video_and_every_time_for_the_session(viewer, video):
    session = start(viewer, video)
    beat(session, 1, [[0, 10]], 10)
    answer = beat(session, 2, [[10, 20], [5, 15]], 15)
    row, seen = row_of(session), progress()
    assert row.played == [[0, 5_000, 1], [5_000, 15_000, 2], [15_000, 20_000, 1]]
    assert (row.watched_ms, row.covered_ms, row.seen_seqs) == (30_000, 20_000, [[1, 2]])
    assert (seen.played, seen.covered_ms, seen.duration_ms) == ([[0, 20_000]], 20_000, 100_000)
    assert (seen.position_s, seen.viewer.user, row.progress) == (15, viewer, seen)
    assert (answer.coverage, answer.completed, answer.ended, answer.position_s) == (0.2, False, False, 15)


def test_every_order_and_any_repetition_ends_the_same(viewer):
    reports_sent = [(seq, [[seq * 7 % 90, seq * 7 % 90 + 9.5]]) for seq in range(1, 15)]
    outcomes = []
    for seed in range(6):
        session = start(viewer, local_video())
        VideoProgress.objects.all().delete()
        order = reports_sent * 2
        random.Random(seed).shuffle(order)
        for seq, played in order if seed else reports_sent:
            beat(session, seq, played)
        outcomes.append(outcome(session))
    assert outcomes[0][1] == 14 * 9_500
    assert all(result == outcomes[0] for result in outcomes)


def test_a_late_report_adds_what_was_played_and_moves_nothing_else(viewer, video):
    session = start(viewer, video)
    beat(session, 5, [[40, 50]], 50, qoe={"stall_count": 4})
    lease = row_of(session).lease_expires_at
    answer = beat(session, 3, [[10, 20]], 20, qoe={"stall_count": 1})
    row = row_of(session)
    assert (row.position_s, row.last_seq, row.lease_expires_at, row.stall_count) == (50, 5, lease, 4)
    assert (answer.position_s, answer.coverage) == (50, 0.2)
    assert progress().played == [[10_000, 20_000], [40_000, 50_000]]
    assert progress().position_s == 50


def test_completion_is_told_once_and_never_taken_back(viewer, video, heard, django_capture_on_commit_callbacks):
    session = start(viewer, video)
    with django_capture_on_commit_callbacks(execute=True):
        assert not beat(session, 1, [[0, 89.9]], 89).completed
        assert heard.completed == []
        assert beat(session, 2, [[89.9, 90]], 90).completed
        beat(session, 3, [[90, 100]], 100)
        beat(start(viewer, video), 1, [[0, 100]], 100)
    assert heard.completed == [session.public_id]
    completed_at = progress().completed_at
    Asset.objects.update(duration_s=1000.0)
    assert beat(start(viewer, video), 1, [[0, 1]], 1).completed
    assert progress().completed_at == completed_at


def test_all_devices_of_a_viewer_complete_a_video_together(viewer, video, heard, django_capture_on_commit_callbacks):
    phone, laptop = start(viewer, video, device_id="phone"), start(viewer, video, device_id="laptop")
    with django_capture_on_commit_callbacks(execute=True):
        beat(phone, 1, [[0, 50]], 50)
        answer = beat(laptop, 1, [[45, 95]], 95)
    assert (answer.coverage, answer.completed) == (0.95, True)
    assert heard.completed == [laptop.public_id]
    assert sorted(heard.started) == sorted([phone.public_id, laptop.public_id])
    assert [row_of(one).covered_ms for one in (phone, laptop)] == [50_000, 50_000]
    assert start(viewer, video, device_id="tablet")
    assert PlaybackSession.objects.latest("pk").position_s == 95


def test_another_viewers_watching_is_no_progress_of_mine(viewer, video):
    beat(start(make_user(), video), 1, [[0, 95]], 95)
    assert beat(start(viewer, video), 1, [[0, 10]], 10).coverage == 0.1


def test_no_more_is_believed_than_four_times_the_time_that_passed(viewer, video):
    session = start(viewer, video, age_s=10)
    answer = beat(session, 1, [[0, 30], [30, 100]], 100)
    assert 0.4 <= answer.coverage < 0.45
    row = row_of(session)
    assert 40_000 <= row.watched_ms < 45_000
    assert row.played[0][0] == 0
    beat(session, 2, [[50, 100]])
    assert row_of(session).watched_ms < 45_000


@pytest.mark.parametrize(
    ("played", "kept"),
    [
        ([[90, 500]], [[90_000, 100_000]]),
        ([[-50, 5]], [[0, 5_000]]),
        ([[200, 300]], []),
        ([[5, 5]], []),
        ([[0, 10**400]], [[0, 100_000]]),
        ([[0.0004, 1.0006]], [[0, 1_001]]),
    ],
)
def test_what_lies_outside_the_video_is_cut_off(viewer, video, played, kept):
    session = start(viewer, video)
    beat(session, 1, played, 3)
    assert progress().played == kept


@pytest.mark.parametrize(
    "played",
    [
        "far",
        {"from": 1},
        [[2, 1]],
        [[1]],
        [[1, 2, 3]],
        [1, 2],
        [["1", "2"]],
        [[None, 2]],
        [[True, 2]],
        [[float("nan"), 2]],
        [[0, float("inf")]],
        [[0, 1]] * 201,
    ],
)
def test_what_cannot_have_been_played_is_refused_whole(viewer, video, played):
    session = start(viewer, video)
    with pytest.raises(InvalidRequest) as refused:
        beat(session, 1, played, 9)
    assert (refused.value.code, refused.value.attr) == ("invalid_played", "played")
    assert row_of(session).last_seq == -1


def test_without_a_length_there_is_no_coverage_until_there_is_one(viewer):
    video = local_video(duration_s=None)
    session = start(viewer, video)
    answer = beat(session, 1, [[0, 50], [400, 500]], 500)
    assert (answer.coverage, answer.completed) == (None, False)
    assert row_of(session).covered_ms == 150_000
    Asset.objects.update(duration_s=100.0)
    assert beat(session, 2, [[50, 60]], 60).coverage == 0.6
    assert progress().played == [[0, 60_000]]


def test_a_copy_of_another_length_keeps_the_share_that_was_seen(viewer, video):
    old = start(viewer, video)
    beat(old, 1, [[0, 50]], 50)
    Asset.objects.update(is_current=False)
    make_asset(video=video, provider="local", duration_s=200.0)
    new = start(viewer, video, device_id="device-two")
    assert row_of(new).position_s == 100
    assert beat(new, 1, [[100, 120]], 120).coverage == 0.6
    assert progress().played == [[0, 120_000]]
    # The old copy still plays on the other device: its seconds count as shares of the new one.
    assert beat(old, 2, [[60, 70]], 70).coverage == 0.7
    seen = progress()
    assert (seen.played, seen.duration_ms, seen.position_s) == ([[0, 140_000]], 200_000, 140)


def test_a_length_that_is_told_a_little_differently_moves_nothing(viewer, video):
    beat(start(viewer, video), 1, [[10, 50]], 50)
    Asset.objects.update(duration_s=100.4)
    beat(start(viewer, video), 1, [[50, 60]], 60)
    assert (progress().played, progress().duration_ms) == ([[10_000, 60_000]], 100_400)


def test_a_session_that_ended_still_takes_what_was_played_before(
    viewer, video, heard, django_capture_on_commit_callbacks
):
    session = start(viewer, video)
    beat(session, 1, [[0, 10]], 10)
    end_session(public_id=session.public_id, token=session.token)
    with django_capture_on_commit_callbacks(execute=True):
        answer = beat(session, 2, [[10, 95]], 95)
    row = row_of(session)
    assert (answer.ended, answer.completed, answer.coverage) == (True, True, 0.95)
    assert (row.state, row.position_s, row.covered_ms) == (SessionState.ENDED, 10, 95_000)
    assert heard.completed == [session.public_id]
    assert beat(session, 2, [[10, 95]], 95).ended
    assert row_of(session).watched_ms == 95_000
    with pytest.raises(SessionEnded):
        beat(session, 3, None, 99)


def test_what_was_played_after_the_end_cannot_have_been(viewer, video):
    session = start(viewer, video, age_s=3610)
    end_session(public_id=session.public_id, token=session.token)
    PlaybackSession.objects.update(ended_at=timezone.now() - timedelta(seconds=3600))
    assert beat(session, 1, [[0, 100]], 100).coverage == pytest.approx(0.4, abs=0.01)


def test_leaving_reports_for_the_last_time(viewer, video, heard, django_capture_on_commit_callbacks):
    session = start(viewer, video, door=SessionDoor.LESSON)
    with django_capture_on_commit_callbacks(execute=True):
        end_session(
            public_id=session.public_id,
            token=session.token,
            seq=1,
            position_s=95,
            played=[[0, 95]],
            events=[{"kind": "share"}],
        )
    row = row_of(session)
    assert (row.state, row.position_s, row.covered_ms) == (SessionState.ENDED, 95, 95_000)
    assert (heard.started, heard.completed) == ([session.public_id], [session.public_id])
    assert EngagementEvent.objects.get().kind == "share"
    assert beat(session, 1, [[0, 95]], 95).ended


def test_nothing_is_taken_from_a_revoked_session(viewer, video):
    session = start(viewer, video)
    revoke(user_id=viewer.pk, video_ids=None, reason="refund")
    with pytest.raises(SessionRevoked):
        beat(session, 1, [[0, 10]], 10)
    end_session(public_id=session.public_id, token=session.token, seq=1, position_s=9, played=[[0, 9]])
    row = row_of(session)
    assert (row.state, row.watched_ms, row.played_at) == (SessionState.REVOKED, 0, None)
    assert not VideoProgress.objects.exists()


def test_a_session_that_lost_its_stream_loses_nothing_that_it_played(viewer, video, settings):
    settings.VIDEO_MAX_CONCURRENT_STREAMS = 1
    offline = start(viewer, video, device_id="train")
    beat(offline, 1, [[0, 10]], 10)
    PlaybackSession.objects.update(lease_expires_at=timezone.now() - timedelta(seconds=1))
    start(viewer, video, device_id="home")
    with pytest.raises(TooManyStreams):
        beat(offline, 2, [[10, 40]], 40)
    row = row_of(offline)
    assert (row.covered_ms, row.position_s) == (40_000, 40)
    assert row.lease_expires_at < timezone.now()
    assert PlaybackSession.objects.leased(timezone.now()).count() == 1


def test_a_lesson_that_never_had_a_stream_plays_nothing(viewer, video, settings):
    settings.VIDEO_MAX_CONCURRENT_STREAMS = 1
    waiting = start(viewer, video, device_id="train", door=SessionDoor.LESSON)
    start(viewer, video, device_id="home")
    with pytest.raises(TooManyStreams):
        beat(waiting, 1, [[0, 10]], 10)
    assert not VideoProgress.objects.exists()


def test_the_latest_counters_stand_and_no_number_is_too_large(viewer, video):
    session = start(viewer, video)
    beat(session, 1, qoe={"startup_ms": 812.6, "stall_count": 1, "stall_ms": 400, "unknown": "x"})
    beat(session, 2, qoe={"stall_count": 3, "stall_ms": 10**30, "bitrate_kbps": 4500, "error_count": None})
    row = row_of(session)
    assert (row.startup_ms, row.stall_count, row.bitrate_kbps, row.error_count) == (812, 3, 4500, 0)
    assert row.stall_ms == reports.QUALITY_MAX["stall_ms"]


@pytest.mark.parametrize("qoe", [[1], "x", {"stall_ms": -1}, {"stall_ms": "1"}, {"error_count": float("nan")}])
def test_counters_are_numbers_from_zero(viewer, video, qoe):
    with pytest.raises(InvalidRequest, match="invalid_qoe"):
        beat(start(viewer, video), 1, qoe=qoe)


def test_what_a_viewer_does_is_kept_once(viewer, video):
    session = start(viewer, video)
    events = [{"kind": "cta_click", "position": 4.5, "target": "book\0 \ud800" + "x" * 300}, {"kind": "like"}]
    for _ in range(2):
        beat(session, 1, [[0, 5]], 5, events=events)
    click, like = EngagementEvent.objects.all()
    assert (click.kind, click.position_s, click.target[:6], len(click.target)) == ("cta_click", 4.5, "book ?", 200)
    assert (like.kind, like.seq, like.number) == ("like", 1, 1)
    assert progress().liked_at is not None


@pytest.mark.parametrize("order", [(1, 2), (2, 1)])
def test_the_later_word_counts_whichever_comes_first(viewer, video, order):
    session = start(viewer, video)
    for seq in order:
        beat(session, seq, events=[{"kind": {1: "like", 2: "unlike"}[seq]}])
    assert progress().liked_at is None
    beat(session, 3, events=[{"kind": "like"}])
    assert progress().liked_at is not None


def test_a_session_keeps_a_limited_number_of_events(viewer, video, monkeypatch):
    monkeypatch.setattr("videos.services.engagement.SESSION_EVENTS_MAX", 3)
    session = start(viewer, video)
    for seq in (1, 2, 3):
        beat(session, seq, events=[{"kind": "share"}] * 2)
    assert EngagementEvent.objects.count() == 3


@pytest.mark.parametrize(
    "events", ["x", [1], [{"kind": "dance"}], [{}], [{"kind": "like", "position": "x"}], [{"kind": "like"}] * 21]
)
def test_events_are_few_and_of_known_kinds(viewer, video, events):
    with pytest.raises(InvalidRequest, match="invalid_events"):
        beat(start(viewer, video), 1, events=events)


def test_the_time_of_the_last_play_moves_by_the_minute_and_with_each_new_viewing(viewer, video):
    session = start(viewer, video)
    beat(session, 1, [[0, 5]], 5)
    first = progress().last_played_at
    beat(session, 2, [[5, 9]], 9)
    assert progress().last_played_at == first
    beat(start(viewer, video), 1, [[5, 9]], 9)
    second = progress().last_played_at
    assert second > first
    VideoProgress.objects.update(last_played_at=second - timedelta(seconds=61))
    beat(session_again := start(viewer, video), 1, [[9, 12]], 12)
    VideoProgress.objects.update(last_played_at=second - timedelta(seconds=61))
    beat(session_again, 2, [[12, 15]], 15)
    assert progress().last_played_at > second


def test_the_figures_are_due_once_something_countable_changed(viewer, video):
    session = start(viewer, video)
    beat(session, 1)
    assert row_of(session).rollup_due_at is None
    beat(session, 2, [[0, 5]], 5)
    due_at = row_of(session).rollup_due_at
    assert timedelta(0) < due_at - timezone.now() <= timedelta(seconds=60)
    beat(session, 3, [[5, 9]], 9)
    assert row_of(session).rollup_due_at == due_at


def test_staff_have_progress_and_are_counted_nowhere(video, heard, django_capture_on_commit_callbacks):
    session = start(make_user(is_staff=True), video)
    with django_capture_on_commit_callbacks(execute=True):
        assert beat(session, 1, [[0, 95]], 95).completed
    assert (heard.started, heard.completed) == ([], [])
    assert row_of(session).rollup_due_at is None
    assert not progress().is_counted


def test_whoever_was_staff_once_counts_when_watching_as_a_student(viewer, video):
    session = start(viewer, video)
    PlaybackSession.objects.update(is_counted=False)
    beat(session, 1, [[0, 5]], 5)
    PlaybackSession.objects.update(is_counted=True)
    beat(session, 2, [[5, 9]], 9)
    assert progress().is_counted
    PlaybackSession.objects.update(is_counted=False)
    beat(session, 3, [[9, 12]], 12)
    assert progress().is_counted


def test_stretches_without_end_are_kept_within_bounds(viewer, video, monkeypatch):
    for module in ("sessions", "progress"):
        monkeypatch.setattr(f"videos.services.{module}.PIECES_MAX", 4)
    session = start(viewer, video)
    beat(session, 1, [[second, second + 0.5 + second / 1000] for second in range(20)], 1)
    row, seen = row_of(session), progress()
    assert (len(row.played), len(seen.played)) == (4, 4)
    assert seen.played[0][0] == 16_000
    assert row.watched_ms > 10_000


def test_seqs_with_holes_are_kept_within_bounds(viewer, video, monkeypatch):
    monkeypatch.setattr(sessions, "SEQ_RANGES_MAX", 3)
    session = start(viewer, video)
    for seq in range(0, 40, 2):
        beat(session, seq, [[seq, seq + 1]])
    assert row_of(session).seen_seqs == [[0, 34], [36, 36], [38, 38]]


def test_a_beat_costs_three_statements_and_the_first_no_more_than_eight(viewer, video):
    start(viewer, video, device_id="phone")
    session = start(viewer, video, door=SessionDoor.LESSON, device_id="phone")
    costs = []
    beats = [[[0, 10]], [[10, 20]], [[20, 95]], [], [[95, 100]]]
    for seq, played in enumerate(beats):
        with counted_statements() as statements:
            beat(session, seq, played, played[-1][1] if played else 95)
        costs.append(len(statements))
    assert costs[0] <= 8
    assert costs[1:] == [3, 3, 2, 3]
    with counted_statements() as statements:
        beat(session, 4, [[95, 100]], 100)
    assert len(statements) == 1
