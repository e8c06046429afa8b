"""Forgetting what is old. Figures, progress and findings stay; what they were counted from goes."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone

from videos import conf
from videos.models import EngagementEvent, PlaybackSession, RefusedStart, SessionState, WebhookEvent, WebhookRefusal

BATCH = 500
SESSION_LIFE = timedelta(days=2)
"""A younger session may still be reported on, whatever its credential says: its token is good for a day."""


@dataclass(frozen=True, kw_only=True)
class Pruned:
    """How many rows went, or would go."""

    sessions: int
    webhook_events: int
    webhook_refusals: int
    refused_starts: int


def prune(
    *,
    session_days: int | None = None,
    hook_days: int | None = None,
    is_rehearsal: bool = False,
    report: Callable[[str, int], object] = lambda name, count: None,
) -> Pruned:
    """Delete sessions that are over, in the figures and older than `session_days`, and hooks older than `hook_days`.

    Days default to the settings; a session is kept for two in any case. `report(name, rows so far)` is called after
    each 500; with `is_rehearsal` rows are only counted. Stopping it at any moment does no harm.
    """
    now = timezone.now()
    wanted_days = conf.session_days() if session_days is None else session_days
    sessions_before = now - max(timedelta(days=wanted_days), SESSION_LIFE)
    hooks_before = now - timedelta(days=conf.hook_days() if hook_days is None else hook_days)

    def take(name: str, rows: "models.QuerySet[models.Model]") -> int:
        if is_rehearsal:
            return rows.count()
        return _delete_in_batches(rows, lambda count: report(name, count))

    return Pruned(
        sessions=take("sessions", old_sessions(sessions_before)),
        webhook_events=take(
            "webhook events", WebhookEvent.objects.filter(received_at__lt=hooks_before, handled_at__isnull=False)
        ),
        webhook_refusals=take("webhook refusals", WebhookRefusal.objects.filter(day__lt=hooks_before.date())),
        refused_starts=take("refused starts", RefusedStart.objects.filter(created_at__lt=hooks_before)),
    )


def old_sessions(before: datetime) -> "models.QuerySet[PlaybackSession]":
    """Sessions from before that moment that nothing more can come of: over, and nothing left to add to the figures.

    Nobody can report on one any more once its credential and a day of grace have passed, so an open state alone does
    not keep it.
    """
    over = Q(state__in=[SessionState.ENDED, SessionState.REVOKED, SessionState.FAILED]) | Q(expires_at__lt=before)
    return PlaybackSession.objects.filter(over, created_at__lt=before, rollup_due_at=None)


def _delete_in_batches(rows: "models.QuerySet[models.Model]", report: Callable[[int], object]) -> int:
    deleted, above = 0, 0
    while keys := list(rows.filter(pk__gt=above).order_by("pk").values_list("pk", flat=True)[:BATCH]):
        with transaction.atomic():
            if rows.model is PlaybackSession:
                EngagementEvent.objects.filter(session__in=rows.filter(pk__in=keys)).delete()
            _, by_model = rows.filter(pk__in=keys).delete()
            deleted += by_model.get(rows.model._meta.label, 0)
        above = keys[-1]
        report(deleted)
    return deleted
