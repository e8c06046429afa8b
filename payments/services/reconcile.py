"""Brings everything in line with Stripe, whatever was lost on the way: deliveries, answers, ids, whole transactions."""

import logging
from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from payments import configuration, stripe
from payments.errors import ObjectNotFound, UnknownSession
from payments.models import (
    FailureCode,
    Payment,
    PaymentStatus,
    Refund,
    WebhookEvent,
)
from payments.services.agreement import check_rows, flag_order
from payments.services.missing_money_back import DISPUTES, REFUNDS, bring_disputes, bring_refunds
from payments.services.refunds import RESUMED_AFTER, send_refund
from payments.services.repairs import Also, Progress, Run, RunStopped, pages
from payments.services.sync import sync_checkout
from payments.services.webhooks import EVENTS, YOUNG, handle_event, is_for_us, replay_event, trim, work_of
from payments.stripe import CheckoutSession, Event

logger = logging.getLogger(__name__)

REFUNDS_TO_SEND = "unsent refunds"
OPEN_PAYMENTS = "open payments"
COMPLETE_SESSIONS = "paid sessions"
STORED_EVENTS = "unhandled events"
UNDELIVERED = "undelivered events"

OLD_ENOUGH = timedelta(minutes=10)
EVENT_IS_LATE = timedelta(minutes=5)
# Stripe lists events for 30 days: https://docs.stripe.com/api/events
EVENTS_KEPT = timedelta(days=29)
MOST_EVENTS = 10_000


def reconcile(
    *,
    window: timedelta,
    is_rehearsal: bool = False,
    limit: int | None = None,
    now: datetime | None = None,
    progress: Progress = lambda step: None,
) -> Run:
    """Repair what differs from Stripe or from itself since `window` ago, and tell what cannot be repaired.

    Safe to repeat, also at the same time. A rehearsal asks Stripe and does the same work, but rolls it back and sends
    nothing. Each step takes up `limit` items at most. While payments are off only our own rows are looked at.
    """
    run = Run(now=now or timezone.now(), window=window, is_rehearsal=is_rehearsal, limit=limit, progress=progress)
    if configuration.is_enabled():
        try:
            for step, work in _STEPS.items():
                run.do(step, work)
        except RunStopped as error:
            run.stopped = str(error)
    check_rows(run)
    _log(run)
    return run


def _send_refunds(run: Run) -> None:
    unsent = Refund.objects.unsent().filter(created_at__lte=run.now - RESUMED_AFTER)
    for page in pages(unsent, "created_at"):
        for refund in page:
            subject = f"refund {refund.public_id}"
            sent = run.attempt(REFUNDS_TO_SEND, subject, _unless_rehearsed(run, partial(send_refund, refund)))
            if sent:
                run.changed(REFUNDS_TO_SEND, f"{subject}: sent")


def _ask_about_open(run: Run) -> None:
    live = Payment.objects.live().filter(created_at__lte=run.now - OLD_ENOUGH).exclude(session_id=None)
    for page in pages(live, "created_at"):
        for payment in page:
            work = partial(_sync_session, str(payment.session_id))
            run.attempt(OPEN_PAYMENTS, f"payment {payment.public_id}", work, partial(_same, payment))


def _ask_about_complete(run: Run) -> None:
    """A page may be paid at its last moment, so pages that were opened within their life before the window count."""
    since = run.since - timedelta(minutes=settings.PAYMENTS_CHECKOUT_MINUTES)
    for chunk in run.listed(COMPLETE_SESSIONS, stripe.list_sessions(since=since, status="complete")):
        ours = [session for session in chunk if session.metadata.get("env") == settings.PAYMENTS_ENV]
        known = Payment.objects.select_related("order").in_bulk([s.id for s in ours], field_name="session_id")
        for session in ours:
            payment = known.get(session.id)
            if _is_news(session, payment):
                work = partial(_sync_session, session.id)
                run.attempt(COMPLETE_SESSIONS, f"session {session.id}", work, partial(_payment_of, session))
            elif payment is not None and _differs(session, payment):
                _report_difference(run, session, payment)


def _is_news(session: CheckoutSession, payment: Payment | None) -> bool:
    if payment is None:
        return True
    if session.payment_status == "unpaid":
        return payment.status == PaymentStatus.PENDING and not payment.is_processing
    return not payment.has_money


def _differs(session: CheckoutSession, payment: Payment) -> bool:
    if not payment.has_money or payment.failure_code == FailureCode.MISMATCH:
        return False
    return (session.amount_total_minor, session.currency) != (payment.paid_minor, payment.currency)


def _report_difference(run: Run, session: CheckoutSession, payment: Payment) -> None:
    """Settled money is never changed by itself: a person is told on the order, and the run fails the first time."""
    reason = f"{session.id} has another amount at Stripe than {payment.public_id} has here."
    if payment.order is not None and reason in payment.order.needs_attention:
        return
    run.problem(f"payment {payment.public_id}", reason)
    if payment.order is not None and not run.is_rehearsal:
        flag_order(payment.order.pk, reason)


def _payment_of(session: CheckoutSession) -> Payment | None:
    known = Q(session_id=session.id)
    if label := _uuid(session.metadata.get("payment_id", "")):
        known |= Q(public_id=label)
    return Payment.objects.filter(known).order_by("pk").first()


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _replay_stored(run: Run) -> None:
    unhandled = WebhookEvent.objects.filter(handled_at=None, received_at__lte=run.now - EVENT_IS_LATE)
    for page in pages(unhandled, "received_at"):
        for row in page:
            again = _rehearsed(row, run) if run.is_rehearsal else _without_look(partial(replay_event, row))
            run.attempt(STORED_EVENTS, f"event {row.event_id}", again, partial(_payment_in, row))


def _handle_undelivered(run: Run) -> None:
    """Oldest first. An event that was handled stays undelivered at Stripe, so known ones are left out."""
    since = max(run.since, run.now - EVENTS_KEPT)
    events: deque[Event] = deque(maxlen=run.limit or MOST_EVENTS)
    left_out = 0
    for chunk in run.listed(UNDELIVERED, stripe.list_undelivered(types=EVENTS, since=since)):
        known = WebhookEvent.objects.filter(event_id__in=[event.id for event in chunk])
        handled = set(known.exclude(handled_at=None).values_list("event_id", flat=True))
        late = [e for e in chunk if e.id not in handled and e.created_at <= run.now - EVENT_IS_LATE and is_for_us(e)]
        left_out += max(0, len(events) + len(late) - (events.maxlen or 0))
        events.extend(late)
    for event in reversed(events):
        row = WebhookEvent(
            event_id=event.id,
            type=event.type,
            object_id=event.object_id,
            occurred_at=event.created_at,
            payload=trim(event.data),
        )
        work = _rehearsed(row, run) if run.is_rehearsal else _without_look(partial(handle_event, event))
        run.attempt(UNDELIVERED, f"event {event.id}", work, partial(_payment_in, row))
    if left_out:
        run.problem(UNDELIVERED, f"{left_out} newer ones are left: run again")


def _rehearsed(row: WebhookEvent, run: Run) -> Callable[[Also], object]:
    """The work of an event, without the ledger; what nobody here knows would be noted and be done with."""

    def work(also: Also) -> None:
        try:
            work_of(row)(also)
        except (UnknownSession, ObjectNotFound):
            if run.now - row.occurred_at < YOUNG:
                raise

    return work


def _payment_in(row: WebhookEvent) -> Payment | None:
    about = Q(session_id=row.object_id) | Q(events__event_id=row.event_id)
    intent = row.payload.get("payment_intent")
    if isinstance(intent, str):
        about |= Q(stripe_payment_intent=intent)
    return Payment.objects.filter(about).order_by("pk").first()


def _same(payment: Payment) -> Payment:
    return payment


def _sync_session(session_id: str, also: Also) -> None:
    sync_checkout(session_id, also=also)


def _without_look(work: Callable[[], object]) -> Callable[[Also], object]:
    return lambda also: work()


def _unless_rehearsed(run: Run, work: Callable[[], object]) -> Callable[[Also], object]:
    return lambda also: None if run.is_rehearsal else work()


def _log(run: Run) -> None:
    if run.is_rehearsal or run.is_all_well:
        return
    said = [f"{subject}: {text}" for subject, text in run.problems.items()]
    logger.error("Reconciliation left %s problems. %s %s", len(said), run.stopped, "; ".join(said[:20]))


_STEPS: dict[str, Callable[[Run], None]] = {
    REFUNDS_TO_SEND: _send_refunds,
    OPEN_PAYMENTS: _ask_about_open,
    COMPLETE_SESSIONS: _ask_about_complete,
    STORED_EVENTS: _replay_stored,
    UNDELIVERED: _handle_undelivered,
    REFUNDS: bring_refunds,
    DISPUTES: bring_disputes,
}
