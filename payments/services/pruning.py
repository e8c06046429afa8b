"""Forgets events whose work is done. What Stripe sends again after that is a hint like any other."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from payments.models import WebhookEvent

BATCH = 500


def prune_webhook_events(
    *, older_than: timedelta | None = None, is_rehearsal: bool = False, now: datetime | None = None
) -> int:
    """Delete handled events that came longer ago than this (PAYMENTS_EVENTS_KEPT_DAYS); gives how many.

    Events that wait for their work are kept, however old. Each batch is a write of its own. Raises ValueError for a
    time that is not positive.
    """
    age = timedelta(days=settings.PAYMENTS_EVENTS_KEPT_DAYS) if older_than is None else older_than
    if age <= timedelta(0):
        raise ValueError("PAYMENTS_EVENTS_KEPT_DAYS must be 1 at least")
    deleted = 0
    for ids in _done_before((now or timezone.now()) - age):
        deleted += len(ids) if is_rehearsal else WebhookEvent.objects.filter(pk__in=ids).delete()[0]
    return deleted


def _done_before(moment: datetime) -> Iterator[list[int]]:
    """Ids are given as events come, so the old ones are the first: nothing behind the first young one is read."""
    rows = WebhookEvent.objects.order_by("pk").values_list("pk", "received_at", "handled_at")
    page = list(rows[:BATCH])
    while page:
        yield [pk for pk, received_at, handled_at in page if received_at < moment and handled_at is not None]
        last, received_at, _ = page[-1]
        page = list(rows.filter(pk__gt=last)[:BATCH]) if received_at < moment else []
