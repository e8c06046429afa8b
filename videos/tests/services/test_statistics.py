from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from videos.models import AssetRetention, VideoDay, VideoFigures
from videos.services.rollup import roll_up
from videos.services.statistics import retention_of, statistics_of
from videos.tests.factories import make_asset, make_video
from videos.tests.viewings import make_viewer, make_viewing, react

pytestmark = pytest.mark.django_db
HALF, WHOLE = ((0, 30_000, 1),), ((0, 60_000, 2),)


def current(video):
    return type(video).objects.with_current_asset().get(pk=video.pk)


def test_the_numbers_of_a_video_are_those_of_its_viewings():
    video, fan = make_video(), make_viewer()
    now = timezone.now()
    make_viewing(video=video, played=HALF, startup_ms=500, stall_ms=10_000, stall_count=2)
    first = make_viewing(video=video, viewer=fan, played=WHOLE, completed_at=now, startup_ms=1500, error_count=1)
    make_viewing(video=video, viewer=fan, played=HALF)
    for number, kind in enumerate(("like", "cta_click", "cta_click", "share")):
        react(first, kind, number=number)
    roll_up()
    told = statistics_of(current(video))
    assert (told.total_views, told.unique_viewers, told.completions) == (3, 2, 1)
    assert (told.total_watch_time, told.avg_watch_duration) == (180.0, 60.0)
    assert told.avg_completion_percentage == pytest.approx(66.67)
    assert told.completion_rate == 50.0
    assert (told.likes, told.shares, told.cta_clicks) == (1, 1, 2)
    assert (told.avg_startup_ms, told.stall_count, told.stall_ms, told.error_count) == (1000.0, 2, 10_000, 1)
    assert told.stall_percentage == pytest.approx(5.26)
    assert [(day.day, day.total_views) for day in told.days] == [(now.date(), 3)]


def test_a_video_that_nobody_watched_has_no_averages():
    told = statistics_of(current(make_video()))
    assert (told.total_views, told.avg_watch_duration, told.completion_rate, told.updated_at) == (0, None, None, None)
    assert told.days == told.retention == []


def test_a_span_of_days_counts_its_own_days_alone():
    video, today = make_video(), timezone.now()
    for days_ago in (0, 1, 2, 300):
        make_viewing(video=video, created_at=today - timedelta(days=days_ago))
    roll_up()
    day = (today - timedelta(days=1)).date()
    span = statistics_of(current(video), since=day, until=day)
    assert (span.total_views, [row.day for row in span.days]) == (1, [day])
    assert statistics_of(current(video), until=day).total_views == 3
    everything = statistics_of(current(video))
    assert everything.total_views == 4
    assert [row.day for row in everything.days] == [(today - timedelta(days=ago)).date() for ago in (2, 1, 0)]


def test_retention_shows_what_was_replayed_and_what_nobody_reached():
    video = make_video()
    make_viewing(video=video, played=((0, 10_000, 1), (10_000, 20_000, 4)))
    make_viewing(video=video, played=((0, 10_000, 1),))
    roll_up()
    points = retention_of(current(video), views=2)
    assert [point.second for point in points] == list(range(60))
    assert [points[second].plays for second in (0, 9, 10, 19, 20, 59)] == [2, 2, 4, 4, 0, 0]
    assert (points[0].share, points[10].share) == (1.0, 2.0)


def test_retention_of_a_long_video_is_told_in_a_hundred_points():
    video = make_video(asset={"duration_s": 7201.5})
    make_viewing(video=video, played=((0, 3_600_000, 1),))
    roll_up()
    points = retention_of(current(video), views=1)
    assert 95 <= len(points) <= 100
    assert (points[0].plays, points[-1].plays) == (1.0, 0.0)


def test_retention_is_that_of_the_copy_that_plays_now():
    video = make_video()
    make_viewing(video=video)
    roll_up()
    video.assets.update(is_current=False)
    make_asset(video=video, duration_s=10.0)
    assert retention_of(current(video), views=1) == []
    assert AssetRetention.objects.count() == 1


@pytest.mark.parametrize("with_span", [False, True])
def test_statistics_cost_the_same_whatever_was_watched(with_span):
    video, today, costs = current(make_video()), timezone.now(), []
    span = {"since": (today - timedelta(days=40)).date()} if with_span else {}
    for days in (1, 30):
        for days_ago in range(days):
            make_viewing(video=video, created_at=today - timedelta(days=days_ago))
        roll_up()
        with CaptureQueriesContext(connection) as asked:
            statistics_of(video, **span)
        assert "videos_playbacksession" not in str(asked.captured_queries)
        costs.append(len(asked))
    assert costs[0] == costs[1] <= 4, costs
    assert VideoFigures.objects.get().views == 31
    assert VideoDay.objects.count() == 30
