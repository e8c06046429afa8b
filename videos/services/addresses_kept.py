"""Viewers' addresses and browsers' names are kept for a time with the access log, then forgotten."""

from collections.abc import Callable
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet
from django.utils import timezone

from videos import conf
from videos.models import PlaybackSession, RefusedStart

BATCH = 1000


def forget_addresses(*, on_batch: Callable[[int], None] = lambda done: None) -> int:
    """Blank addresses and browsers' names older than VIDEO_ADDRESS_DAYS; gives of how many rows.

    The rows themselves stay. Each batch is a transaction of its own; `on_batch` hears how many are done.
    """
    sessions, refusals = rows_to_forget(timezone.now())
    done = 0
    for rows, blank in ((sessions, {"ip": None, "user_agent": ""}), (refusals, {"ip": None})):
        while keys := list(rows.order_by("created_at").values_list("pk", flat=True)[:BATCH]):
            done += rows.model.objects.filter(pk__in=keys).update(**blank)
            on_batch(done)
    return done


def rows_to_forget(now: datetime) -> tuple[QuerySet[PlaybackSession], QuerySet[RefusedStart]]:
    """The sessions and refused starts that are too old to keep an address."""
    oldest = now - timedelta(days=conf.address_days())
    named = Q(ip__isnull=False) | ~Q(user_agent="")
    sessions = PlaybackSession.objects.filter(named, created_at__lt=oldest)
    return sessions, RefusedStart.objects.filter(ip__isnull=False, created_at__lt=oldest)
