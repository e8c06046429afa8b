"""An order's status is derived from its payments, never toggled: the same rows give the same status in any order."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate

from django.utils import timezone

from payments.models import (
    GIVEN_BACK,
    MONEY_CAME,
    OPEN_DISPUTE,
    SETTLED,
    DisputeStatus,
    FailureCode,
    Order,
    OrderStatus,
    Payment,
    PaymentStatus,
    Refund,
    RefundStatus,
)
from payments.services.alerts import alert

_ABANDONED = (FailureCode.EXPIRED, FailureCode.SUPERSEDED)


@dataclass(frozen=True, kw_only=True)
class PaymentFacts:
    """What counts of one payment.

    `refunded_minor` holds refunds that were not taken back, and lost disputes. `claimed_minor` is the most that refunds
    gave back at any time, one that failed later included: who asked for the money has given up the course.
    """

    attempt: int
    status: int
    paid_minor: int
    refunded_minor: int = 0
    claimed_minor: int = 0
    is_processing: bool = False
    failure_code: str = ""
    is_disputed: bool = False
    lost_minor: int = 0
    is_won: bool = False

    @classmethod
    def of(cls, payment: Payment) -> "PaymentFacts":
        disputes = payment.disputes.all()
        statuses = {dispute.status for dispute in disputes}
        return cls(
            attempt=payment.attempt,
            status=payment.status,
            paid_minor=payment.paid_minor,
            refunded_minor=payment.refunded_minor,
            claimed_minor=claimed_minor(list(payment.refunds.all())),
            is_processing=payment.is_processing,
            failure_code=payment.failure_code,
            is_disputed=bool(statuses.intersection(OPEN_DISPUTE)),
            lost_minor=sum(dispute.amount_minor for dispute in disputes if dispute.status == DisputeStatus.LOST),
            is_won=DisputeStatus.WON in statuses,
        )


def claimed_minor(refunds: Iterable[Refund]) -> int:
    """The most that these refunds of one payment gave back at one time, those included that failed later."""
    moved = []
    for refund in refunds:
        if refund.stripe_id is None or refund.status == RefundStatus.CANCELED:
            continue
        moved.append((refund.created_at, -refund.amount_minor))
        if refund.status not in GIVEN_BACK:
            moved.append((refund.failed_at or refund.created_at, refund.amount_minor))
    # Within one of the provider's seconds what goes out, here below zero, comes first.
    return -min(accumulate((amount for _, amount in sorted(moved)), initial=0))


def derive_status(total_minor: int, payments: Iterable[PaymentFacts]) -> OrderStatus:
    """The status of an order of `total_minor` with these payments, whatever the order in which they are given.

    Each payment is for the whole order. So giving back what was paid beyond the price of one that stands does not count
    as a refund of the order.
    """
    known = sorted(payments, key=lambda payment: payment.attempt)
    settled = [payment for payment in known if payment.status in SETTLED]
    if not settled:
        return _unpaid_status(known) if total_minor > 0 else OrderStatus.PAID
    if any(payment.is_disputed for payment in settled):
        return OrderStatus.DISPUTED
    standing = [payment for payment in settled if payment.refunded_minor < payment.paid_minor or not payment.paid_minor]
    if not standing:
        return OrderStatus.REFUNDED
    kept_minor = sum(payment.paid_minor - payment.refunded_minor for payment in settled)
    is_covered = kept_minor >= min(payment.paid_minor for payment in standing)
    return OrderStatus.PAID if is_covered else OrderStatus.PARTIALLY_REFUNDED


def is_given_up(payment: PaymentFacts, *, counts_lost: bool) -> bool:
    """Whether all of it was claimed back, be it that the bank returned it; lost disputes count if asked for."""
    lost_minor = payment.lost_minor if counts_lost else 0
    return 0 < payment.paid_minor <= payment.claimed_minor + lost_minor


def recompute(order: Order) -> list[PaymentFacts]:
    """Bring the order's status and payment time in line with its payments, and save it with what was flagged.

    Gives the payments' facts, read in three statements. The caller holds the order's lock.
    """
    payments = [PaymentFacts.of(payment) for payment in order.payments.prefetch_related("refunds", "disputes")]
    order.status = derive_status(order.total_minor, payments)
    if order.status in MONEY_CAME and order.paid_at is None:
        order.paid_at = timezone.now()
    order.save(update_fields=["status", "paid_at", "needs_attention"])
    return payments


def flag(order: Order, reason: str) -> None:
    """Say once on the order why a person has to look, and tell the operators; the caller saves the order."""
    if reason in order.needs_attention:
        return
    alert("Order %s needs attention: %s", order.public_id, reason)
    order.needs_attention = f"{order.needs_attention} {reason}".strip()


def _unpaid_status(payments: list[PaymentFacts]) -> OrderStatus:
    live = [payment for payment in payments if payment.status == PaymentStatus.PENDING]
    if any(payment.is_processing for payment in live):
        return OrderStatus.PROCESSING
    if live or not payments:
        return OrderStatus.PENDING
    return OrderStatus.EXPIRED if payments[-1].failure_code in _ABANDONED else OrderStatus.FAILED
