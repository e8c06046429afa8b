"""The steps that several pages offer."""

import logging

from courses import money
from payments.admin.base import person
from payments.admin.confirming import Declined, Step
from payments.errors import PaymentsError
from payments.services.agreement import repair_order
from payments.services.mending import mark_order_seen_to, mark_payment_seen_to, resend_confirmation
from payments.services.sync import sync_checkout, sync_order
from payments.services.webhooks import replay_event

logger = logging.getLogger(__name__)


def _sync(request, order):
    if order.total_minor and not order.payments.exclude(session_id=None).exists():
        raise Declined("Stripe was never asked for money: there is nothing to ask about")
    synced = sync_order(order, everything=True)
    mended = [f"{line[0].upper()}{line[1:]}." for line in repair_order(synced)]
    synced.refresh_from_db()
    return " ".join(filter(None, [f"{synced.get_status_display()}.", *mended, synced.needs_attention]))


def _sync_payment(request, payment):
    if payment.session_id is None:
        raise Declined("it has no checkout at Stripe")
    sync_checkout(payment.session_id, is_about_money_back=True)
    payment.refresh_from_db()
    return payment.get_failure_code_display() or payment.get_status_display()


def _resend(request, order):
    if not resend_confirmation(order):
        raise Declined(f"not sent: the order is {order.get_status_display().lower()} and opens no course")
    return "the confirmation is on its way"


def _see_to(request, order):
    if not mark_order_seen_to(order, reason=order.read):
        raise Declined("not marked: nothing was left to see to, or there is something new; read it first")
    return f"seen to: {order.read}"


def _see_to_payment(request, payment):
    if not mark_payment_seen_to(payment):
        raise Declined("this payment needs nobody")
    return f"seen to: {payment.get_failure_code_display()}"


def _replay(request, event):
    try:
        replay_event(event)
    except PaymentsError:
        raise
    except Exception as error:  # whatever a handler may raise is noted on the event; the other events get their turn
        logger.exception("Event %s failed", event.event_id)
        raise Declined(f"failed: {type(error).__name__}") from error
    event.refresh_from_db()
    return event.last_error or "handled"


SYNC = Step(
    title="Sync with Stripe",
    button="Ask Stripe",
    sentence=lambda order: (
        f"{person(order)}, {money.display(order.total_minor, order.currency)}: Stripe is asked about every attempt "
        "to pay, its refunds and disputes; courses follow."
    ),
    work=_sync,
)
SYNC_PAYMENT = Step(
    title="Sync with Stripe",
    button="Ask Stripe",
    sentence=lambda payment: "Stripe is asked about this payment, its refunds and disputes.",
    work=_sync_payment,
)
RESEND = Step(
    title="Resend the confirmation",
    button="Send the mail",
    sentence=lambda order: (
        f"{order.user.email} gets the confirmation of {money.display(order.total_minor, order.currency)} once more."
    ),
    work=_resend,
)
SEE_TO = Step(
    title="Mark as seen to",
    button="Mark as seen to",
    sentence=lambda order: order.needs_attention or "Nothing is left to see to.",
    work=_see_to,
    kept=lambda order: order.needs_attention,
)
SEE_TO_PAYMENT = Step(
    title="Mark as seen to",
    button="Mark as seen to",
    sentence=lambda payment: (
        f"{money.display(payment.paid_minor, payment.currency)}, {payment.get_failure_code_display()}: "
        "the money was dealt with. No money moves by this."
    ),
    work=_see_to_payment,
)
REPLAY = Step(
    title="Process again",
    button="Process again",
    sentence=lambda event: (
        f"{event.type} about {event.object_id}: "
        + (f"handled once, {event.last_error}" if event.handled_at else f"not handled: {event.last_error or 'waiting'}")
    ),
    work=_replay,
)
