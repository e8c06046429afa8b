import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from threading import Event, Thread

import pytest
from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from videos.models import (
    AssetRetention,
    EngagementEvent,
    PlaybackSession,
    VideoDay,
    VideoFigures,
    VideoProgress,
)
from videos.services.figures import COUNTERS, plays_by_second
from videos.services.rollup import BATCH, roll_up
from videos.tests.factories import make_video
from videos.tests.services.test_races import at_once
from videos.tests.statements import counted_statements
from videos.tests.viewings import beat, make_viewer, make_viewing, react

EVENING = datetime(2026, 11, 20, 23, 59, 59, 999_999, tzinfo=UTC)
MIDNIGHT = EVENING + timedelta(microseconds=1)


def figures():
    """All that the figures hold: totals, days and seconds, without rows and counters that are zero."""
    totals = {row.video_id: counters(row) for row in VideoFigures.objects.all()}
    days = {(row.video_id, row.day): counters(row) for row in VideoDay.objects.all()}
    seconds = {row.asset_id: Counter(dict(enumerate(plays_by_second(row)))) for row in AssetRetention.objects.all()}
    return [
        {key: +counts for key, counts in group.items() if any(counts.values())} for group in (totals, days, seconds)
    ]


def counters(row):
    return Counter({name: getattr(row, name) for name in COUNTERS})


def counted_directly():
    """The same, counted slowly from the rows of sessions, progress and events themselves."""
    totals, days, seconds = {}, {}, {}

    def add(video_id, moment, **counts):
        totals.setdefault(video_id, Counter()).update(counts)
        days.setdefault((video_id, moment.astimezone(UTC).date()), Counter()).update(counts)

    counted = PlaybackSession.objects.filter(is_counted=True, played_at__isnull=False).select_related("asset")
    for session in counted:
        kinds = Counter(EngagementEvent.objects.filter(session=session).values_list("kind", flat=True))
        share = min(session.covered_ms * 1000 // 60_000, 1000)
        add(
            session.video_id,
            session.created_at,
            views=1,
            watched_ms=session.watched_ms,
            coverage_permille_sum=share,
            coverage_count=1,
            cta_clicks=kinds["cta_click"],
            shares=kinds["share"],
            startup_ms_sum=session.startup_ms or 0,
            startup_count=int(session.startup_ms is not None),
            stall_ms_sum=session.stall_ms,
            stall_count=session.stall_count,
            error_count=session.error_count,
        )
        for start, end, times in session.played:
            for second in range(60):
                if start <= second * 1000 + 499.5 < end:
                    seconds.setdefault(session.asset_id, Counter())[second] += times
    for row in VideoProgress.objects.filter(pk__in=counted.values("progress_id")):
        add(row.video_id, row.first_played_at, viewers=1)
        if row.completed_at:
            add(row.video_id, row.completed_at, completions=1)
        if row.liked_at:
            add(row.video_id, row.liked_at, likes=1)
    return [
        {key: +counts for key, counts in group.items() if any(counts.values())} for group in (totals, days, seconds)
    ]


def random_played(chance):
    """Disjoint stretches of a minute, replays among them."""
    cuts = sorted(chance.sample(range(60_001), 2 * chance.randint(1, 4)))
    return [(start, end, chance.choice((1, 1, 1, 2, 5))) for start, end in zip(cuts[::2], cuts[1::2], strict=True)]


@pytest.mark.django_db
@pytest.mark.parametrize("seed", range(12))
def test_whatever_happens_in_whatever_order_the_figures_are_what_the_rows_say(seed):
    chance = random.Random(seed)
    videos, viewers, sessions = [make_video() for _ in range(3)], [make_viewer() for _ in range(3)], []
    for step in range(40):
        deed = chance.random()
        if deed < 0.3 or not sessions:
            created_at = EVENING + timedelta(microseconds=chance.choice((-5, 0, 1, 2)))
            sessions.append(
                make_viewing(
                    video=chance.choice(videos),
                    viewer=chance.choice(viewers),
                    created_at=created_at,
                    is_counted=chance.random() < 0.8,
                    played=random_played(chance) if chance.random() < 0.8 else (),
                )
            )
        elif deed < 0.55:
            qoe = {"startup_ms": chance.choice((None, 0, 900)), "stall_ms": chance.randint(0, 9), "error_count": step}
            beat(chance.choice([s for s in sessions if s.played] or sessions), random_played(chance), **qoe)
        elif deed < 0.7:
            counted = [session for session in sessions if session.is_counted]
            react(chance.choice(counted or sessions), chance.choice(("like", "unlike", "share", "cta_click")), seq=step)
        elif deed < 0.8:
            session = chance.choice(sessions)
            VideoProgress.objects.filter(pk=session.progress_id).update(completed_at=MIDNIGHT)
            PlaybackSession.objects.filter(pk=session.pk).update(rollup_due_at=EVENING)
        else:
            roll_up(limit=chance.randint(1, 5))
    roll_up()
    assert figures() == counted_directly()
    assert not PlaybackSession.objects.filter(rollup_due_at__isnull=False).exists()


@pytest.mark.django_db
def test_rolling_up_again_changes_nothing():
    make_viewing(completed_at=MIDNIGHT)
    assert roll_up() == 1
    before = figures()
    assert roll_up() == 0
    PlaybackSession.objects.update(rollup_due_at=EVENING)
    assert roll_up() == 1
    assert figures() == before == counted_directly()


@pytest.mark.django_db
def test_a_session_belongs_to_the_day_it_began_on_whenever_it_is_rolled_up():
    video = make_video()
    late, early = (make_viewing(video=video, created_at=moment) for moment in (EVENING, MIDNIGHT))
    roll_up()
    beat(late, [(0, 60_000, 1)])
    roll_up()
    watched = dict(VideoDay.objects.filter(video=video).values_list("day", "watched_ms"))
    assert watched == {EVENING.date(): 60_000, MIDNIGHT.date(): early.watched_ms}


@pytest.mark.django_db
def test_what_does_not_count_or_was_never_played_leaves_no_figures():
    make_viewing(is_counted=False)
    make_viewing(played=())
    assert roll_up() == 2
    assert figures() == [{}, {}, {}]
    assert not PlaybackSession.objects.filter(rollup_due_at__isnull=False).exists()


@pytest.mark.django_db
def test_a_session_that_is_not_due_yet_waits():
    make_viewing(rollup_due_at=timezone.now() + timedelta(minutes=1))
    assert roll_up() == 0


@pytest.mark.django_db
def test_a_view_of_a_video_of_unknown_length_counts_without_coverage():
    video = make_video(asset={"duration_s": None})
    make_viewing(video=video)
    VideoProgress.objects.update(duration_ms=None)
    roll_up()
    row = VideoFigures.objects.get(video=video)
    assert (row.views, row.watched_ms, row.coverage_count) == (1, 30_000, 0)


@pytest.mark.django_db
def test_a_copy_that_is_gone_takes_its_seconds_with_it():
    session = make_viewing()
    session.asset.delete()
    roll_up()
    assert VideoFigures.objects.get().views == 1
    assert not AssetRetention.objects.exists()


class Crash(Exception):
    pass


@pytest.mark.django_db(transaction=True)
def test_a_crash_at_any_statement_loses_nothing_and_counts_nothing_twice():
    video, viewer = make_video(), make_viewer()
    session = make_viewing(video=video, viewer=viewer, completed_at=MIDNIGHT)
    roll_up()
    beat(session, [(0, 60_000, 2)], startup_ms=300)
    make_viewing(video=video)
    before, crashed = figures(), 0
    for survived in range(40):
        left = survived

        def crash_soon(execute, *arguments):
            nonlocal left
            left -= 1
            if left < 0:
                raise Crash
            return execute(*arguments)

        try:
            with connection.execute_wrapper(crash_soon):
                roll_up()
        except Crash:
            if PlaybackSession.objects.filter(rollup_due_at__isnull=False).exists():
                assert figures() == before
                crashed += 1
        else:
            break
    assert crashed >= 8
    roll_up()
    assert figures() == counted_directly()


@pytest.mark.django_db(transaction=True)
def test_workers_at_once_and_heartbeats_meanwhile_add_up():
    videos, viewers = [make_video() for _ in range(3)], [make_viewer() for _ in range(4)]
    sessions = [make_viewing(video=video, viewer=viewer) for video in videos for viewer in viewers for _ in range(10)]

    def watch_on():
        for session in sessions[::3]:
            with transaction.atomic():
                beat(session, [(0, 45_000, 2)])

    results = at_once([roll_up, watch_on, roll_up, roll_up])
    assert not [result for result in results if isinstance(result, Exception)], results
    roll_up()
    assert figures() == counted_directly()
    assert VideoFigures.objects.get(video=videos[0]).viewers == 4


@pytest.mark.django_db(transaction=True)
def test_a_heartbeat_in_between_leaves_the_session_due():
    if not connection.features.has_select_for_update_skip_locked:
        pytest.skip("SQLite has one writer at a time: nothing comes in between")
    session, other = make_viewing(), make_viewing()
    is_locked, may_go = Event(), Event()

    def watch():
        with transaction.atomic():
            PlaybackSession.objects.select_for_update().get(pk=session.pk)
            is_locked.set()
            may_go.wait(10)
            PlaybackSession.objects.filter(pk=session.pk).update(error_count=F("error_count") + 1)
        connection.close()

    thread = Thread(target=watch)
    thread.start()
    try:
        assert is_locked.wait(10)
        assert roll_up() == 1
        assert VideoFigures.objects.get().video_id == other.video_id
    finally:
        may_go.set()
        thread.join()
    assert roll_up() == 1
    assert figures() == counted_directly()
    assert VideoFigures.objects.get(video=session.video_id).error_count == 1


@pytest.mark.django_db
def test_a_batch_costs_the_same_statements_whatever_its_size():
    costs = []
    for number in (2, BATCH):
        for _ in range(number):
            make_viewing()
        with counted_statements() as statements:
            assert roll_up(limit=number) == number
        costs.append(len(statements))
    assert costs[0] == costs[1] <= 12, costs
