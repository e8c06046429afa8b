"""An order's status is derived from its payments, never toggled: the same rows give the same status in any order."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass

from django.utils import timezone

from payments.models import SETTLED, FailureCode, Order, OrderStatus, Payment, PaymentStatus

logger = logging.getLogger(__name__)

_ABANDONED = (FailureCode.EXPIRED, FailureCode.SUPERSEDED)


@dataclass(frozen=True, kw_only=True)
class PaymentFacts:
    """What counts of one payment; `refunded_minor` holds refunds that were not taken back, and lost disputes."""

    attempt: int
    status: int
    amount_minor: int
    refunded_minor: int = 0
    is_processing: bool = False
    failure_code: str = ""

    @classmethod
    def of(cls, payment: Payment) -> "PaymentFacts":
        return cls(
            attempt=payment.attempt,
            status=payment.status,
            amount_minor=payment.amount_minor,
            refunded_minor=payment.refunded_minor,
            is_processing=payment.is_processing,
            failure_code=payment.failure_code,
        )


def derive_status(total_minor: int, payments: Iterable[PaymentFacts]) -> OrderStatus:
    """The status of an order of `total_minor` with these payments, whatever the order in which they are given."""
    known = sorted(payments, key=lambda payment: payment.attempt)
    settled = [payment for payment in known if payment.status in SETTLED]
    paid_minor = sum(payment.amount_minor for payment in settled)
    refunded_minor = sum(payment.refunded_minor for payment in settled)
    if total_minor > 0 and paid_minor == 0:
        return _unpaid_status(known)
    if refunded_minor == 0:
        return OrderStatus.PAID
    return OrderStatus.REFUNDED if refunded_minor >= paid_minor else OrderStatus.PARTIALLY_REFUNDED


def overpaid_minor(total_minor: int, payments: Iterable[PaymentFacts]) -> int:
    """How much more was taken than the order costs, refunds deducted."""
    kept = sum(payment.amount_minor - payment.refunded_minor for payment in payments if payment.status in SETTLED)
    return max(0, kept - total_minor)


def recompute(order: Order) -> OrderStatus:
    """Bring the order's status and payment time in line with its payments; the caller holds the order's lock."""
    payments = [PaymentFacts.of(payment) for payment in order.payments.all()]
    order.status = derive_status(order.total_minor, payments)
    if order.status == OrderStatus.PAID and order.paid_at is None:
        order.paid_at = timezone.now()
    if overpaid_minor(order.total_minor, payments):
        flag(order, "More was paid than the order costs: give the rest back.")
    order.save(update_fields=["status", "paid_at", "needs_attention"])
    return order.status


def flag(order: Order, reason: str) -> None:
    """Say once on the order why a person has to look, and tell the operators; the caller saves the order."""
    if reason in order.needs_attention:
        return
    logger.error("Order %s needs attention: %s", order.public_id, reason)
    order.needs_attention = f"{order.needs_attention} {reason}".strip()[:255]


def _unpaid_status(payments: list[PaymentFacts]) -> OrderStatus:
    live = [payment for payment in payments if payment.status == PaymentStatus.PENDING]
    if any(payment.is_processing for payment in live):
        return OrderStatus.PROCESSING
    if live or not payments:
        return OrderStatus.PENDING
    return OrderStatus.EXPIRED if payments[-1].failure_code in _ABANDONED else OrderStatus.FAILED
