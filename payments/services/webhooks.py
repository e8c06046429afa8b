"""The ledger of what Stripe told us. An event is a hint: its work is to ask Stripe about the object it names."""

import logging
from datetime import timedelta
from enum import Enum
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from payments import configuration, stripe
from payments.errors import ForeignSession, SessionNotFound, UnknownSession
from payments.models import Payment, WebhookEvent
from payments.services.sync import apply_session
from payments.stripe import Event

logger = logging.getLogger(__name__)

SESSION_EVENTS = frozenset(
    {
        "checkout.session.completed",
        "checkout.session.expired",
        "checkout.session.async_payment_succeeded",
        "checkout.session.async_payment_failed",
    }
)
LOCK_TIMEOUT_S = 5
YOUNG = timedelta(minutes=10)
_KEPT = (
    "id",
    "object",
    "amount_subtotal",
    "amount_total",
    "client_reference_id",
    "created",
    "currency",
    "expires_at",
    "livemode",
    "mode",
    "payment_intent",
    "payment_status",
    "status",
)
_KEPT_METADATA = ("env", "order_id", "payment_id", "user_id")


class Result(Enum):
    IGNORED = "ignored"
    DUPLICATE = "duplicate"
    HANDLED = "handled"


def handle_event(event: Event) -> Result:
    """Do what a verified event asks for, once.

    The row is written first, and `handled_at` is set in the transaction of the work: after a crash the next delivery
    finds work to do. Whatever fails is noted on the row and raised, so that Stripe sends the event again; that includes
    UnknownSession for a session of ours younger than ten minutes, whose checkout may not be stored yet.
    """
    if event.type not in SESSION_EVENTS or not _is_for_us(event):
        return Result.IGNORED
    row = _record(event)
    if row.handled_at is not None:
        return Result.DUPLICATE
    try:
        _process(row, event)
    except Exception as error:
        WebhookEvent.objects.filter(pk=row.pk).update(last_error=_describe(error))
        raise
    return Result.HANDLED


def trim(data: dict[str, Any]) -> dict[str, Any]:
    """What is kept of an event's object: ids, amounts and states, nothing about the person."""
    kept = {name: data[name] for name in _KEPT if name in data}
    metadata = data.get("metadata")
    if isinstance(metadata, dict):
        kept["metadata"] = {name: metadata[name] for name in _KEPT_METADATA if name in metadata}
    return kept


def _is_for_us(event: Event) -> bool:
    if event.livemode != configuration.is_live():
        logger.error("Ignored event %s: it is of the other mode than our key (livemode=%s)", event.id, event.livemode)
        return False
    metadata = event.data.get("metadata")
    is_ours = isinstance(metadata, dict) and metadata.get("env") == settings.PAYMENTS_ENV
    return is_ours or Payment.objects.filter(session_id=event.object_id).exists()


def _record(event: Event) -> WebhookEvent:
    row, _ = WebhookEvent.objects.get_or_create(
        event_id=event.id,
        defaults={
            "type": event.type,
            "object_id": event.object_id,
            "livemode": event.livemode,
            "api_version": event.api_version,
            "payload": trim(event.data),
        },
    )
    WebhookEvent.objects.filter(pk=row.pk).update(attempts=F("attempts") + 1)
    return row


def _process(row: WebhookEvent, event: Event) -> None:
    try:
        session = stripe.retrieve_session(event.object_id)
        with transaction.atomic():
            _limit_lock_wait()
            apply_session(session)
            _settle(row)
    except ForeignSession:
        _settle(row, "a session of another installation")
    except (UnknownSession, SessionNotFound) as error:
        if timezone.now() - event.created_at < YOUNG:
            raise UnknownSession(event.object_id) from error
        logger.error("Event %s is about %s, which no payment here knows", event.id, event.object_id)
        _settle(row, "no payment here knows this session")


def _settle(row: WebhookEvent, note: str = "") -> None:
    WebhookEvent.objects.filter(pk=row.pk).update(handled_at=timezone.now(), last_error=note)


def _limit_lock_wait() -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT_S}s'")


def _describe(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:500]
