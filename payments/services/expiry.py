"""Open orders whose time is over. Stripe is asked first: what was paid at the last moment is honoured."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from payments import stripe
from payments.errors import PaymentsError, ProviderMisconfigured, ProviderUnavailable, SessionNotFound, SessionNotOpen
from payments.models import OPEN, FailureCode, Payment
from payments.services.attempts import close_attempt
from payments.services.sync import sync_checkout
from payments.stripe import Outcome

logger = logging.getLogger(__name__)

BATCH = 200
CLOCK_SKEW = timedelta(minutes=2)


@dataclass
class ExpiryCounts:
    """What one run of `expire_orders` found, in payments."""

    expired: int = 0
    paid: int = 0
    waiting: int = 0
    failed: int = 0

    def __str__(self) -> str:
        return (
            f"{self.expired} expired, {self.paid} paid, {self.waiting} still waiting, {self.failed} could not be asked"
        )


def expire_orders(now: datetime | None = None) -> ExpiryCounts:
    """Close the payments whose checkout ran out, and those left open on orders that are settled otherwise.

    An attempt whose session id was never stored is looked for among the sessions of its time: only when Stripe has none
    of its name is there nothing to ask for. What cannot be asked about stays open and is counted. Payments that wait
    for a bank are left alone.
    """
    counts = ExpiryCounts()
    overdue = _overdue(now or timezone.now())
    found: dict[str, str] | None = None
    for done, payment in enumerate(overdue):
        try:
            if payment.session_id is None and found is None:
                found = _find_sessions([payment for payment in overdue if payment.session_id is None])
            outcome = _expire(payment, payment.session_id or (found or {}).get(str(payment.public_id)))
        except (ProviderUnavailable, ProviderMisconfigured) as error:
            logger.warning("Stripe cannot be asked about open orders: %s", error)
            counts.failed += len(overdue) - done
            break
        except PaymentsError as error:
            logger.error("Payment %s could not be expired: %s", payment.public_id, error)
            counts.failed += 1
            continue
        if outcome in (Outcome.EXPIRED, Outcome.FAILED):
            counts.expired += 1
        elif outcome is Outcome.PAID:
            counts.paid += 1
        else:
            counts.waiting += 1
    return counts


def _overdue(now: datetime) -> list[Payment]:
    ran_out = Q(session_expires_at__lte=now - CLOCK_SKEW)
    settled_otherwise = ~Q(session_id=None) & ~Q(order__status__in=OPEN)
    overdue = Payment.objects.live().filter(ran_out | settled_otherwise, is_processing=False)
    return list(overdue.order_by("created_at")[:BATCH])


def _find_sessions(payments: Sequence[Payment]) -> dict[str, str]:
    """The ids of the sessions that carry these payments' names, by the payments' ids."""
    wanted = {str(payment.public_id) for payment in payments}
    found: dict[str, str] = {}
    for since, until in _times_of(payments):
        for session in stripe.list_sessions(since=since, until=until):
            label = session.metadata.get("payment_id", "")
            if label in wanted and session.metadata.get("env") == settings.PAYMENTS_ENV:
                found[label] = session.id
    return found


def _times_of(payments: Sequence[Payment]) -> list[tuple[datetime, datetime]]:
    """When sessions of these payments can have been made, oldest first; times that overlap are one."""
    times: list[tuple[datetime, datetime]] = []
    for payment in sorted(payments, key=lambda payment: payment.created_at):
        since = payment.created_at - CLOCK_SKEW
        until = (payment.session_expires_at or payment.created_at) + CLOCK_SKEW
        if times and since <= times[-1][1]:
            times[-1] = (times[-1][0], max(until, times[-1][1]))
        else:
            times.append((since, until))
    return times


def _expire(payment: Payment, session_id: str | None) -> Outcome:
    if session_id is None:
        close_attempt(payment, FailureCode.EXPIRED)
        return Outcome.EXPIRED
    try:
        session = stripe.retrieve_session(session_id)
    except SessionNotFound:
        logger.error("Payment %s: Stripe does not know its session (another account?)", payment.public_id)
        close_attempt(payment, FailureCode.EXPIRED)
        return Outcome.EXPIRED
    if session.outcome is Outcome.OPEN:
        try:
            session = stripe.expire_session(session_id)
        except SessionNotOpen:
            session = stripe.retrieve_session(session_id)
    sync_checkout(session_id)
    return session.outcome
