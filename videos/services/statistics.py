"""What is told of a video's viewings, and of the whole platform: read from the figures, never from the sessions."""

from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet, Sum
from django.utils import timezone

from videos.models import AssetRetention, PlaybackSession, Video, VideoDay, VideoFigures
from videos.services.figures import COUNTERS, plays_by_second

DAYS_SHOWN = 90
DAYS_MAX = 366
RETENTION_POINTS = 100
_DAY_COLUMNS = ("watched_ms", "day", "views", "viewers", "completions", "cta_clicks", "likes", "shares")
_VIEW_COLUMNS = (
    *("public_id", "viewer_id", "user_agent", "created_at", "played_at", "ended_at", "watched_ms", "covered_ms"),
    *("position_s", "startup_ms", "stall_count", "stall_ms", "bitrate_kbps", "error_count"),
    *("video_id", "asset__duration_s", "progress__completed_at"),
)


@dataclass(frozen=True, kw_only=True)
class Totals:
    """Viewings in sum. Durations in seconds unless named otherwise, percentages and rates from 0 to 100, None where
    there is nothing to divide by.

    `total_watch_time` counts replays. `completion_rate` is the share of viewers who completed. Of a span of days,
    `unique_viewers` are those who watched the video for the first time, and completions likewise.
    """

    total_views: int
    unique_viewers: int
    completions: int
    total_watch_time: float
    avg_watch_duration: float | None
    avg_completion_percentage: float | None
    completion_rate: float | None
    cta_clicks: int
    likes: int
    shares: int
    avg_startup_ms: float | None
    stall_count: int
    stall_ms: int
    stall_percentage: float | None
    error_count: int


@dataclass(frozen=True)
class Day:
    """The sums of one UTC day; `total_watch_time` in seconds."""

    total_watch_time: float
    day: date
    total_views: int
    unique_viewers: int
    completions: int
    cta_clicks: int
    likes: int
    shares: int


@dataclass(frozen=True, kw_only=True)
class RetentionPoint:
    """`plays` is how often the seconds from `second` on were played, on average; `share` is that per view."""

    second: int
    plays: float
    share: float | None


@dataclass(frozen=True, kw_only=True)
class Statistics(Totals):
    """The totals, the newest days of the span that saw anything, oldest first, and the current copy's retention."""

    days: list[Day]
    retention: list[RetentionPoint]
    updated_at: datetime | None

    def as_json(self) -> dict[str, Any]:
        """The same by name, written out by hand: a year of days is much for a serializer."""
        days = [dict(vars(day)) for day in self.days]
        return vars(self) | {"days": days, "retention": [dict(vars(point)) for point in self.retention]}


def statistics_of(video: Video, *, since: date | None = None, until: date | None = None) -> Statistics:
    """The figures of one video, of all time or of the UTC days `since` to `until`, both included.

    Three statements and one for the current asset, whatever was watched. Without a span the last 90 days are listed,
    with one its last 366. Retention is of all time.
    """
    span = _within(since, until)
    days = VideoDay.objects.filter(span, video=video)
    row = VideoFigures.objects.filter(video=video).first()
    counts = _counts_of(row)
    views = counts["views"]
    if since or until:
        counts = _summed(days.order_by().aggregate(**{name: Sum(name) for name in COUNTERS}))
    else:
        days = days.filter(day__gt=timezone.now().date() - timedelta(days=DAYS_SHOWN))
    shown = reversed(days.values_list(*_DAY_COLUMNS)[:DAYS_MAX])
    return Statistics(
        **_totals(counts),
        days=[Day(watched_ms / 1000, *sums) for watched_ms, *sums in shown],
        retention=retention_of(video, views=views),
        updated_at=row.updated_at if row else None,
    )


def retention_of(video: Video, *, views: int) -> list[RetentionPoint]:
    """How often each part of the current copy was played, in at most 100 points; `views` gives the share of each."""
    asset = video.get_current_asset()
    row = AssetRetention.objects.filter(asset=asset).first() if asset else None
    plays = plays_by_second(row)
    if row is not None and asset is not None and asset.duration_s:
        plays.frombytes(bytes(max(int(asset.duration_s) - len(plays), 0) * plays.itemsize))
    return [
        RetentionPoint(second=second, plays=round(mean, 2), share=round(mean / views, 4) if views else None)
        for second, mean in _sampled(plays)
    ]


def views_of(video: Video) -> "QuerySet[PlaybackSession]":
    """The viewings of a video that count and in which something was played, newest first, with what tells of them."""
    views = PlaybackSession.objects.filter(video=video, is_counted=True, played_at__isnull=False)
    return views.select_related("asset", "progress").only(*_VIEW_COLUMNS).order_by("-created_at", "-id")


def percentage(part: float, whole: float) -> float | None:
    """`part` of `whole` from 0 to 100, to two places; None of nothing."""
    return round(min(100 * part / whole, 100), 2) if whole else None


def _sampled(plays: "array[int]") -> list[tuple[int, float]]:
    step = -(-len(plays) // RETENTION_POINTS) or 1
    pieces = ((second, plays[second : second + step]) for second in range(0, len(plays), step))
    return [(second, sum(piece) / len(piece)) for second, piece in pieces]


def _within(since: date | None, until: date | None) -> Q:
    span = Q(day__gte=since) if since else Q()
    return span & Q(day__lte=until) if until else span


def _counts_of(row: VideoFigures | None) -> dict[str, int]:
    return {name: getattr(row, name) if row else 0 for name in COUNTERS}


def _summed(sums: Mapping[str, int | None]) -> dict[str, int]:
    return {name: int(count or 0) for name, count in sums.items()}


def _totals(counts: Mapping[str, int]) -> dict[str, Any]:
    views, watched_ms, stall_ms = counts["views"], counts["watched_ms"], counts["stall_ms_sum"]
    return {
        "total_views": views,
        "unique_viewers": counts["viewers"],
        "completions": counts["completions"],
        "total_watch_time": watched_ms / 1000,
        "avg_watch_duration": _mean(watched_ms / 1000, views),
        "avg_completion_percentage": _mean(counts["coverage_permille_sum"] / 10, counts["coverage_count"]),
        "completion_rate": percentage(counts["completions"], counts["viewers"]),
        "cta_clicks": counts["cta_clicks"],
        "likes": counts["likes"],
        "shares": counts["shares"],
        "avg_startup_ms": _mean(counts["startup_ms_sum"], counts["startup_count"]),
        "stall_count": counts["stall_count"],
        "stall_ms": stall_ms,
        "stall_percentage": percentage(stall_ms, watched_ms + stall_ms),
        "error_count": counts["error_count"],
    }


def _mean(total: float, number: int) -> float | None:
    return round(total / number, 2) if number else None
