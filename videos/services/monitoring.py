"""What operators look after: copies that do not get ready, plans that are used up, videos that nobody watches."""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.db.models import Exists, OuterRef, Q, Subquery
from django.utils import timezone

from videos import conf
from videos.models import Asset, AssetStatus, PlaybackSession, Video
from videos.providers.base import VideoProvider
from videos.providers.exceptions import ProviderMisconfigured, VideoProviderError
from videos.providers.registry import providers
from videos.services.assets import refresh_asset
from videos.services.host_calls import ask_host

logger = logging.getLogger(__name__)

STUCK_HOURS = 2
STUCK_BATCH = 100
WARN_SHARE = 0.8
UNUSED_DAYS = 90
_GB = 10**9


@dataclass(frozen=True, kw_only=True)
class Quantity:
    """How much of one thing an account uses in this month or keeps now; `limit` None is unknown or none."""

    alias: str
    name: str
    used: float
    limit: float | None = None

    @property
    def share(self) -> float | None:
        return self.used / self.limit if self.limit else None

    @property
    def is_nearly_used_up(self) -> bool:
        return self.share is not None and self.share >= WARN_SHARE


@dataclass(frozen=True, kw_only=True)
class Usage:
    """What the accounts use, and which hosts could not say: pairs of alias and code."""

    quantities: list[Quantity]
    failures: list[tuple[str, str]]


def find_stuck(*, hours: float = STUCK_HOURS) -> list[Asset]:
    """Copies whose file has been at the host for so long without getting ready or failing, oldest first."""
    before = timezone.now() - timedelta(hours=hours)
    has_file_since = Q(uploaded_at__lt=before) | Q(
        uploaded_at=None, status=AssetStatus.PROCESSING, created_at__lt=before
    )
    unsettled = Asset.objects.filter(
        has_file_since, next_poll_at__isnull=False, status__in=[AssetStatus.WAITING, AssetStatus.PROCESSING]
    )
    return list(unsettled.select_related("video").order_by("created_at", "pk")[:STUCK_BATCH])


def ask_about_stuck(*, hours: float = STUCK_HOURS) -> list[Asset]:
    """Ask the hosts about what is stuck, now; gives what is stuck all the same, of which an error is logged."""
    for asset in find_stuck(hours=hours):
        refresh_asset(asset.pk)
    stuck = find_stuck(hours=hours)
    if stuck:
        named = ", ".join(f"{asset.pk} at {asset.provider} ({asset.host_status})" for asset in stuck[:10])
        logger.error("%s videos have been in preparation for over %g hours; assets %s", len(stuck), hours, named)
    return stuck


def measure_usage() -> Usage:
    """What each account uses, by its host's own figures, beside the limits of VIDEO_PLANS; warns from 80 %.

    Traffic is that of this month up to yesterday, in UTC days, since hosts know a day once it is over.
    """
    quantities: list[Quantity] = []
    failures: list[tuple[str, str]] = []
    for alias in providers:
        try:
            quantities += _quantities(providers[alias], conf.plans().get(alias, {}))
        except ProviderMisconfigured:
            failures.append((alias, "host_misconfigured"))
        except VideoProviderError as error:
            failures.append((alias, error.code))
    for quantity in quantities:
        if quantity.is_nearly_used_up:
            logger.warning("%s: %.0f %% of %s are used", quantity.alias, (quantity.share or 0) * 100, quantity.name)
    for alias, code in failures:
        logger.warning("%s: usage is not known: %s", alias, code)
    return Usage(quantities=quantities, failures=failures)


def find_unused(*, days: int) -> Iterator[Video]:
    """Ready videos that nobody has started for so many days, and that are older; with `last_started_at`."""
    before = timezone.now() - timedelta(days=days)
    recent = PlaybackSession.objects.filter(video=OuterRef("pk"), created_at__gte=before)
    last = PlaybackSession.objects.filter(video=OuterRef("pk")).order_by("-created_at").values("created_at")[:1]
    ready = Asset.objects.filter(video=OuterRef("pk"), is_current=True, status=AssetStatus.READY)
    unused = Video.objects.with_current_asset().filter(Exists(ready), ~Exists(recent), created_at__lt=before)
    return unused.annotate(last_started_at=Subquery(last)).order_by("created_at", "pk").iterator()


def report_unused(*, days: int = UNUSED_DAYS) -> int:
    """Say in the log how many videos nobody has started for so many days; gives how many."""
    count = sum(1 for _ in find_unused(days=days))
    if count:
        logger.warning("%s videos have not been started for %s days: see the command unused_videos", count, days)
    return count


def _quantities(provider: VideoProvider, plan: Mapping[str, Any]) -> Iterator[Quantity]:
    quantity = partial(_quantity, provider.alias, plan)
    if provider.supports_usage:
        delivered_bytes, delivered_s = _delivered(provider, timezone.now())
        yield from quantity("bandwidth_gb", delivered_bytes, unit=_GB)
        yield from quantity("delivered_minutes", delivered_s, unit=60)
    if provider.supports_storage:
        stored = ask_host(provider.storage)
        yield from quantity("storage_gb", stored.stored_bytes, unit=_GB, limit=stored.limit_bytes)
        yield from quantity("stored_minutes", stored.stored_s, unit=60, limit=stored.limit_s)


def _quantity(
    alias: str, plan: Mapping[str, Any], name: str, used: float | None, *, unit: int, limit: float | None = None
) -> Iterator[Quantity]:
    if used is None:
        return
    planned = plan.get(name)
    told = None if limit is None else limit / unit
    yield Quantity(alias=alias, name=name, used=used / unit, limit=told if planned is None else float(planned))


def _delivered(provider: VideoProvider, now: datetime) -> tuple[float | None, float | None]:
    sent_bytes: float | None = None
    played_s: float | None = None
    for number in range(1, now.day):
        for usage in ask_host(partial(provider.usage, now.date().replace(day=number))):
            if usage.delivered_bytes is not None:
                sent_bytes = (sent_bytes or 0) + usage.delivered_bytes
            if usage.delivered_s is not None:
                played_s = (played_s or 0) + usage.delivered_s
    return sent_bytes, played_s
