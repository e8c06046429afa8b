"""The whole platform in figures, for those who run it."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.core.cache import cache
from django.db.models import Avg, Count, F, FloatField, Q, Sum
from django.db.models.functions import Cast
from django.utils import timezone

from videos.models import (
    Asset,
    AssetStatus,
    PlaybackSession,
    UnusualUse,
    Video,
    VideoDay,
    VideoFigures,
    WebhookRefusal,
)
from videos.providers.registry import providers
from videos.services.host_calls import usable_provider
from videos.services.statistics import percentage
from videos.services.tokens import MAX_AGE_S

KEPT_S = 60
UPLOAD_DAYS = 30
PROCESSED_MAX = 1000
TOP = 10
_CACHE_KEY = "videos.metrics"


@dataclass(frozen=True, kw_only=True)
class TopVideo:
    id: UUID
    title: str
    total_views: int


@dataclass(frozen=True, kw_only=True)
class Metrics:
    """Days and months are of UTC. Percentages and rates from 0 to 100; None where there is nothing to divide by.

    `avg_completion_rate` is the mean of the videos' own rates. Uploads and processing are those of the last 30 days,
    start-up and stalls those of this month. `hosts` are the `Workload` of those of ours, with their `alias`.
    """

    total_videos: int
    videos_by_status: dict[str, int]
    total_views_today: int
    total_views_this_month: int
    avg_completion_rate: float | None
    top_videos: list[TopVideo]
    upload_success_rate: float | None
    processing_p50_s: float | None
    processing_p90_s: float | None
    avg_startup_ms: float | None
    stall_percentage: float | None
    error_count: int
    refused_hooks_today: int
    open_unusual_uses: int
    concurrent_streams: int
    hosts: list[dict[str, Any]]


def platform_metrics() -> dict[str, Any]:
    """The figures of `Metrics` by name, as they were at most 60 s ago; nine statements for hosts
    of others, none over all sessions."""
    kept: dict[str, Any] | None = cache.get(_CACHE_KEY)
    if kept is None:
        kept = asdict(_counted())
        cache.set(_CACHE_KEY, kept, KEPT_S)
    return kept


def _counted() -> Metrics:
    by_status = _videos_by_status()
    return Metrics(
        total_videos=sum(count for status, count in by_status.items() if status != AssetStatus.DELETED),
        videos_by_status=by_status,
        avg_completion_rate=_avg_completion_rate(),
        top_videos=_top_videos(),
        refused_hooks_today=_refused_hooks_today(),
        open_unusual_uses=UnusualUse.objects.filter(dismissed_at=None).count(),
        concurrent_streams=_concurrent_streams(),
        hosts=_workloads(),
        **_of_this_month(),
        **_of_uploads(),
    )


def _concurrent_streams() -> int:
    """Sessions that hold a stream. Those whose token is good are found by the partial index on viewers' addresses."""
    now = timezone.now()
    from_browsers = PlaybackSession.objects.filter(Q(ip__isnull=False) | ~Q(user_agent=""))
    return from_browsers.filter(created_at__gt=now - timedelta(seconds=MAX_AGE_S)).leased(now).count()


def _workloads() -> list[dict[str, Any]]:
    ours = [provider for provider in map(usable_provider, providers) if provider and provider.supports_workload]
    return [{"alias": provider.alias, **asdict(provider.workload())} for provider in ours]


def _videos_by_status() -> dict[str, int]:
    """Of the current copies; `missing` are videos without any."""
    rows = Asset.objects.filter(is_current=True).order_by().values_list("status")
    counts = dict.fromkeys(AssetStatus.values, 0) | dict(rows.annotate(number=Count("pk")))
    return counts | {"missing": Video.objects.count() - sum(counts.values())}


def _avg_completion_rate() -> float | None:
    rate = 100 * Cast("completions", FloatField()) / F("viewers")
    mean = VideoFigures.objects.filter(viewers__gt=0).aggregate(mean=Avg(rate))["mean"]
    return None if mean is None else round(mean, 2)


def _top_videos() -> list[TopVideo]:
    rows = VideoFigures.objects.filter(views__gt=0).order_by("-views", "pk").values_list("pk", "video__title", "views")
    return [TopVideo(id=pk, title=title, total_views=views) for pk, title, views in rows[:TOP]]


def _refused_hooks_today() -> int:
    today = WebhookRefusal.objects.filter(day=timezone.now().date()).order_by()
    return today.aggregate(total=Sum("count"))["total"] or 0


def _of_this_month() -> dict[str, Any]:
    today = timezone.now().date()
    days = VideoDay.objects.filter(day__gte=today.replace(day=1), day__lte=today).order_by()
    names = ("views", "watched_ms", "startup_ms_sum", "startup_count", "stall_ms_sum", "error_count")
    sums = {name: total or 0 for name, total in days.aggregate(**{name: Sum(name) for name in names}).items()}
    views_today = VideoDay.objects.filter(day=today).order_by().aggregate(total=Sum("views"))["total"]
    started, stalled = sums["startup_count"], sums["stall_ms_sum"]
    return {
        "total_views_today": views_today or 0,
        "total_views_this_month": sums["views"],
        "avg_startup_ms": round(sums["startup_ms_sum"] / started, 2) if started else None,
        "stall_percentage": percentage(stalled, sums["watched_ms"] + stalled),
        "error_count": sums["error_count"],
    }


def _of_uploads() -> dict[str, Any]:
    """A copy that was ever ready succeeded, whatever became of it since."""
    recent = Asset.objects.filter(created_at__gte=timezone.now() - timedelta(days=UPLOAD_DAYS)).order_by("-id")
    settled = recent.exclude(ready_at=None, status__in=[AssetStatus.WAITING, AssetStatus.PROCESSING])
    rows = list(settled.values_list("status", "uploaded_at", "ready_at")[:PROCESSED_MAX])
    succeeded = sum(ready_at is not None or status == AssetStatus.READY for status, _, ready_at in rows)
    failed = sum(ready_at is None and status == AssetStatus.FAILED for status, _, ready_at in rows)
    took_s = sorted((ready_at - sent_at).total_seconds() for _, sent_at, ready_at in rows if sent_at and ready_at)
    return {
        "upload_success_rate": percentage(succeeded, succeeded + failed),
        "processing_p50_s": _percentile(took_s, 50),
        "processing_p90_s": _percentile(took_s, 90),
    }


def _percentile(ordered: Sequence[float], percent: int) -> float | None:
    """The smallest value that `percent` of 100 do not exceed."""
    if not ordered:
        return None
    return round(ordered[-(-len(ordered) * percent // 100) - 1], 2)
