"""What looks unlike one person learning: reported, never punished. Read from the last day's rows alone."""

import ipaddress
import logging
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from videos import conf
from videos.models import PlaybackSession, RefusedStart, UnusualUse, UnusualUseKind

logger = logging.getLogger(__name__)

LOOK_BACK = timedelta(hours=24)
HOUR_S = 3600
_NETWORK_BITS = {4: 24, 6: 48}
_CHUNK = 2000


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One viewer above one limit; `is_new` when it was not known of this viewer today."""

    viewer_id: int
    kind: UnusualUseKind
    figure: int
    limit: int
    is_new: bool


class _Usage:
    """What one viewer did in the last day."""

    def __init__(self) -> None:
        self.networks: set[str] = set()
        self.devices: set[str] = set()
        self.starts: list[tuple[datetime, Any]] = []
        self.refusals = 0

    def figures(self) -> dict[UnusualUseKind, int]:
        return {
            UnusualUseKind.MANY_ADDRESSES: len(self.networks),
            UnusualUseKind.MANY_DEVICES: len(self.devices),
            UnusualUseKind.MANY_VIDEOS: _most_within_an_hour(self.starts),
            UnusualUseKind.MANY_REFUSALS: self.refusals,
        }


def find_unusual_use() -> list[Finding]:
    """Compare the last 24 hours of every viewer that counts with `conf.unusual_limits()` and keep what is above.

    A finding is one row for viewer, kind and UTC day, whose figure only grows; new ones are logged as warnings.
    """
    now = timezone.now()
    limits = {UnusualUseKind(kind): limit for kind, limit in conf.unusual_limits().items()}
    above = [
        (viewer_id, kind, figure, limits[kind])
        for viewer_id, usage in _usage_since(now - LOOK_BACK).items()
        for kind, figure in usage.figures().items()
        if figure > limits[kind]
    ]
    findings = [_keep(viewer_id, kind, figure, limit, now) for viewer_id, kind, figure, limit in sorted(above)]
    for finding in findings:
        if finding.is_new:
            told = (finding.viewer_id, finding.kind.label, finding.figure, finding.limit)
            logger.warning("Unusual use by viewer %s: %s (%s, limit %s)", *told)
    return findings


def dismiss(finding_ids: Iterable[int]) -> int:
    """Mark findings as looked at; gives how many were not yet."""
    return UnusualUse.objects.filter(pk__in=list(finding_ids), dismissed_at=None).update(dismissed_at=timezone.now())


def network_of(address: str) -> str:
    """The /24 of an IPv4 address, the /48 of an IPv6 one: what one household or firm usually keeps."""
    ip = ipaddress.ip_address(address)
    return str(ipaddress.ip_network((ip, _NETWORK_BITS[ip.version]), strict=False))


def _usage_since(since: datetime) -> Mapping[int, _Usage]:
    usage: defaultdict[int, _Usage] = defaultdict(_Usage)
    for viewer_id, video_id, device_id, ip, created_at in _sessions_since(since):
        of_viewer = usage[viewer_id]
        of_viewer.devices.add(device_id)
        of_viewer.starts.append((created_at, video_id))
        if ip:
            of_viewer.networks.add(network_of(ip))
    refused = RefusedStart.objects.filter(created_at__gte=since, viewer__isnull=False).order_by("created_at")
    for viewer_id, device_id, ip in refused.values_list("viewer_id", "device_id", "ip").iterator(_CHUNK):
        usage[viewer_id].refusals += 1
        if ip:
            usage[viewer_id].networks.add(network_of(ip))
        if device_id:
            usage[viewer_id].devices.add(device_id)
    return usage


def _sessions_since(since: datetime) -> Iterator[tuple[int, Any, str, str | None, datetime]]:
    """Newest first by key, which needs no index of its own, until a whole chunk is older than `since`."""
    below: int | None = None
    names = ("viewer_id", "video_id", "device_id", "ip", "created_at")
    while True:
        rows = PlaybackSession.objects.order_by("-pk").filter(**{"pk__lt": below} if below else {})
        chunk = list(rows.values_list("pk", "is_counted", *names)[:_CHUNK])
        yield from (tuple(values) for _, is_counted, *values in chunk if is_counted and values[-1] >= since)
        if len(chunk) < _CHUNK or all(row[-1] < since for row in chunk):
            return
        below = chunk[-1][0]


def _most_within_an_hour(starts: list[tuple[datetime, Any]]) -> int:
    """The most different videos that were started within any hour."""
    ordered, first, videos, most = sorted(starts, key=lambda start: start[0]), 0, Counter[Any](), 0
    for moment, video_id in ordered:
        videos[video_id] += 1
        while (moment - ordered[first][0]).total_seconds() >= HOUR_S:
            left = ordered[first][1]
            videos[left] -= 1
            if not videos[left]:
                del videos[left]
            first += 1
        most = max(most, len(videos))
    return most


@transaction.atomic
def _keep(viewer_id: int, kind: UnusualUseKind, figure: int, limit: int, now: datetime) -> Finding:
    values = {"figure": figure, "limit": limit, "first_seen_at": now, "last_seen_at": now}
    key = {"viewer_id": viewer_id, "kind": kind, "day": now.date()}
    row, is_new = UnusualUse.objects.select_for_update().get_or_create(**key, defaults=values)
    if not is_new:
        row.figure, row.limit, row.last_seen_at = max(row.figure, figure), limit, now
        row.save(update_fields=["figure", "limit", "last_seen_at"])
    return Finding(viewer_id=viewer_id, kind=kind, figure=figure, limit=limit, is_new=is_new)
