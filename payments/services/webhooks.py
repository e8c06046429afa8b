"""The ledger of what Stripe told us. An event is a hint: its work is to ask Stripe about the object it names."""

import logging
import re
from collections.abc import Callable
from datetime import timedelta
from enum import Enum
from typing import Any

from django.conf import settings
from django.db.models import F, Q
from django.utils import timezone

from payments import configuration, stripe
from payments.errors import ForeignSession, ObjectNotFound, UnknownSession
from payments.models import Order, Payment, WebhookEvent
from payments.services.sync import Also, sync_checkout, sync_intent
from payments.stripe import Event

logger = logging.getLogger(__name__)

SESSION_EVENTS = (
    "checkout.session.completed",
    "checkout.session.expired",
    "checkout.session.async_payment_succeeded",
    "checkout.session.async_payment_failed",
)
MONEY_BACK_EVENTS = (
    "refund.created",
    "refund.updated",
    "refund.failed",
    "charge.refunded",
    "charge.dispute.created",
    "charge.dispute.updated",
    "charge.dispute.closed",
)
EVENTS = SESSION_EVENTS + MONEY_BACK_EVENTS
YOUNG = timedelta(minutes=10)
_KEPT = (
    "id",
    "object",
    "amount",
    "amount_refunded",
    "amount_subtotal",
    "amount_total",
    "charge",
    "client_reference_id",
    "created",
    "currency",
    "expires_at",
    "livemode",
    "mode",
    "payment_intent",
    "payment_status",
    "reason",
    "refunded",
    "status",
)
_ADDRESS = re.compile(r"\S+@\S+")
_KEPT_METADATA = ("env", "order_id", "payment_id", "refund_id", "user_id")


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
    if event.type not in EVENTS or not event.object_id or not is_for_us(event):
        return Result.IGNORED
    row, is_new = _record(event)
    if row.handled_at is not None:
        return Result.DUPLICATE
    if is_new:
        _do(row)
    else:
        replay_event(row)
    return Result.HANDLED


def replay_event(row: WebhookEvent) -> None:
    """Do the work of a stored event, again if need be; raises what goes wrong, which is noted on the row.

    `attempts` counts how often the work was begun; a delivery of an event that is done already does not count.
    """
    WebhookEvent.objects.filter(pk=row.pk).update(attempts=F("attempts") + 1)
    _do(row)


def trim(data: dict[str, Any]) -> dict[str, Any]:
    """What is kept of an event's object: ids, amounts and states, nothing about the person."""
    kept = {name: _plain(data[name]) for name in _KEPT if name in data}
    metadata = data.get("metadata")
    if isinstance(metadata, dict):
        kept["metadata"] = {name: _plain(metadata[name]) for name in _KEPT_METADATA if name in metadata}
    return kept


def _plain(value: Any) -> Any:
    """The value, or the id alone of an object that came in full."""
    return value.get("id") if isinstance(value, dict) else value


def is_for_us(event: Event) -> bool:
    """Whether the event may be about a payment of ours, as far as can be told without asking."""
    if event.livemode != configuration.is_live():
        logger.error("Ignored event %s: it is of the other mode than our key (livemode=%s)", event.id, event.livemode)
        return False
    metadata = event.data.get("metadata")
    env = metadata.get("env") if isinstance(metadata, dict) else None
    if env == settings.PAYMENTS_ENV:
        return True
    is_silent = env is None and (not event.data or event.type in MONEY_BACK_EVENTS)
    return is_silent or Payment.objects.filter(_about(event.object_id, event.data)).exists()


def _about(object_id: str, data: dict[str, Any]) -> Q:
    about = Q(session_id=object_id)
    if intent := _intent_in(data):
        about |= Q(stripe_payment_intent=intent)
    return about


def _intent_in(data: dict[str, Any]) -> str:
    intent = data.get("payment_intent")
    return intent if isinstance(intent, str) else ""


def _record(event: Event) -> tuple[WebhookEvent, bool]:
    return WebhookEvent.objects.get_or_create(
        event_id=event.id,
        defaults={
            "type": event.type,
            "object_id": event.object_id,
            "livemode": event.livemode,
            "api_version": event.api_version,
            "occurred_at": event.created_at,
            "payload": trim(event.data),
            "attempts": 1,
        },
    )


def _do(row: WebhookEvent) -> None:
    try:
        _process(row)
    except Exception as error:
        WebhookEvent.objects.filter(pk=row.pk).update(last_error=_describe(error))
        raise


def _process(row: WebhookEvent) -> None:
    def settle(payment: Payment) -> None:
        _settle(row, payment=payment)

    try:
        work_of(row)(settle)
    except ForeignSession:
        _settle(row, note="a payment of another installation")
    except (UnknownSession, ObjectNotFound) as error:
        if timezone.now() - row.occurred_at < YOUNG:
            raise UnknownSession(row.object_id) from error
        logger.error("Event %s is about %s, which no payment here knows", row.event_id, row.object_id)
        _settle(row, note="no payment here knows this")


def work_of(row: WebhookEvent) -> Callable[[Also], Order | None]:
    """What an event asks for, without the ledger: asks Stripe about its object and brings the payment in line."""
    if row.type in SESSION_EVENTS:
        return lambda also: sync_checkout(row.object_id, also=also)
    return lambda also: sync_intent(_intent_in(row.payload) or stripe.intent_of(row.object_id), also=also)


def _settle(row: WebhookEvent, *, payment: Payment | None = None, note: str = "") -> None:
    WebhookEvent.objects.filter(pk=row.pk).update(handled_at=timezone.now(), last_error=note, payment=payment)


def _describe(error: Exception) -> str:
    """Its first line, without addresses: a database's further ones show whole rows."""
    return _ADDRESS.sub("…", f"{type(error).__name__}: {error}".partition("\n")[0])[:500]
