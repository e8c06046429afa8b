"""A student buys a course: what to pay is decided under a lock, Stripe is asked outside of it."""

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from django.utils import timezone

from payments import stripe
from payments.errors import (
    AlreadyPaid,
    EmailUnverified,
    IdempotencyConflict,
    Overtaken,
    PaymentProcessing,
    PaymentUnderReview,
    ProviderRejected,
    ProviderUnavailable,
    SessionNotFound,
    SessionNotOpen,
)
from payments.models import MONEY_CAME, FailureCode, Order, Payment
from payments.services.attempts import close_attempt
from payments.services.reservation import Reservation, reserve
from payments.services.session_request import session_request
from payments.services.sync import apply_reading, sync_checkout
from payments.stripe import CheckoutSession, Outcome, Reading

if TYPE_CHECKING:
    from courses.models import Course
    from users.models import User

ROUNDS = 3
LEAST_TIME_TO_PAY = timedelta(minutes=2)


@dataclass(frozen=True, kw_only=True)
class Checkout:
    """Where the student goes on: to `url` to pay, or nowhere when the order was free and is fulfilled already."""

    order: Order
    session_id: str | None = None
    url: str | None = None


def start_checkout(*, user: "User", course: "Course") -> Checkout:
    """Order `course` for `user`, or take up the order that is open already; a free course is given at once.

    Raises EmailUnverified, AlreadyEnrolled, AlreadyPaid, PaymentProcessing, PaymentUnderReview, TooManyOpenCheckouts,
    ProviderUnavailable, ProviderMisconfigured and ProviderRejected.
    """
    if not user.is_email_verified:
        raise EmailUnverified
    for _ in range(ROUNDS):
        reservation = reserve(user=user, course=course)
        if reservation.payment is None:
            return Checkout(order=reservation.order)
        session = _current_session(reservation, reservation.payment)
        if session is None:
            continue
        order = _apply(session, reservation.payment) or reservation.order
        if session.outcome is Outcome.OPEN and not order.needs_attention:
            return Checkout(order=order, session_id=session.id, url=session.url)
        if session.outcome is Outcome.OPEN:  # it does not fit the order: paying it would give nothing
            session = _close(session)
            order = sync_checkout(session.id) or order
        if session.outcome is Outcome.PAID:
            raise AlreadyPaid if order.status in MONEY_CAME else PaymentUnderReview
        if session.outcome is Outcome.PROCESSING:
            raise PaymentProcessing
    raise ProviderUnavailable("the open checkout kept changing", retry_after_s=2)


def _current_session(reservation: Reservation, payment: Payment) -> CheckoutSession | None:
    """The session of this attempt as it is at Stripe; closed when it must not be paid any more, None when refused."""
    if payment.session_id:
        try:
            session = stripe.retrieve_session(payment.session_id)
        except SessionNotFound:
            close_attempt(payment, FailureCode.SUPERSEDED)
            return None
    else:
        created = _create_session(reservation, payment)
        if created is None:
            return None
        # The answer to a repeated request is the saved first one: the session may have moved on since.
        session = created if reservation.is_new else stripe.retrieve_session(created.id)
    is_late = session.expires_at - timezone.now() < LEAST_TIME_TO_PAY
    if session.outcome is Outcome.OPEN and (reservation.is_outdated or is_late):
        return _close(session)
    return session


def _create_session(reservation: Reservation, payment: Payment) -> CheckoutSession | None:
    try:
        return stripe.create_session(session_request(reservation.order, payment))
    except IdempotencyConflict:
        close_attempt(payment, FailureCode.SUPERSEDED)
        return None
    except ProviderRejected:
        close_attempt(payment, FailureCode.REJECTED)
        if reservation.is_new:
            raise
        return None
    except ProviderUnavailable as error:
        if error.is_replayed:
            close_attempt(payment, FailureCode.SUPERSEDED)
        raise


def _apply(session: CheckoutSession, payment: Payment) -> Order | None:
    if session.outcome is Outcome.PAID:  # its refunds and disputes count as well
        return sync_checkout(session.id)
    try:
        return apply_reading(Reading(session=session), revision=payment.revision)
    except Overtaken:
        return sync_checkout(session.id)


def _close(session: CheckoutSession) -> CheckoutSession:
    try:
        return stripe.expire_session(session.id)
    except SessionNotOpen:
        return stripe.retrieve_session(session.id)
