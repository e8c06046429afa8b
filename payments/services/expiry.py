"""Open orders whose time is over. Stripe is asked first: what was paid at the last moment is honoured."""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

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

    An attempt whose session id was never stored has nothing to ask for: it is closed when its session has ended at
    Stripe too, and a late event still finds it by its metadata. Payments that wait for a bank are left alone.
    """
    counts = ExpiryCounts()
    overdue = _overdue(now or timezone.now())
    for done, payment in enumerate(overdue):
        try:
            outcome = _expire(payment)
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


def _expire(payment: Payment) -> Outcome:
    if payment.session_id is None:
        close_attempt(payment, FailureCode.EXPIRED)
        return Outcome.EXPIRED
    try:
        session = stripe.retrieve_session(payment.session_id)
    except SessionNotFound:
        logger.error("Payment %s: Stripe does not know its session (another account?)", payment.public_id)
        close_attempt(payment, FailureCode.EXPIRED)
        return Outcome.EXPIRED
    if session.outcome is Outcome.OPEN:
        try:
            session = stripe.expire_session(payment.session_id)
        except SessionNotOpen:
            session = stripe.retrieve_session(payment.session_id)
    sync_checkout(payment.session_id)
    return session.outcome
