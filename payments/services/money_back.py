"""Refunds and disputes as the provider has them, brought into our rows; nothing here asks the provider."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone

from mailing.services import queue_mail
from payments.models import (
    GIVEN_BACK,
    INQUIRY,
    OPEN_DISPUTE,
    SETTLED,
    Dispute,
    DisputeStatus,
    Order,
    Payment,
    PaymentStatus,
    Refund,
    RefundOrigin,
    RefundStatus,
)
from payments.services.alerts import alert
from payments.services.mails import DISPUTE_CLOSED, DISPUTE_OPENED, REFUND_ISSUED
from payments.services.recompute import flag
from payments.stripe import DisputeState, Reading, RefundState


def apply_money_back(payment: Payment, reading: Reading, order: Order | None) -> bool:
    """Bring the payment's refunds and disputes in line, and its `refunded_minor` and status with them.

    The caller holds the locks and saves payment and order; True when anything has changed.
    """
    if not (reading.refunds or reading.disputes):
        return False
    refunds, disputes = list(payment.refunds.all()), list(payment.disputes.all())
    changed = [_apply_refund(payment, refunds, state, order) for state in reversed(reading.refunds)]
    changed += [_apply_dispute(payment, disputes, state, order) for state in reversed(reading.disputes)]
    _settle_status(payment, refunds, disputes)
    return any(changed)


def refund_status(word: str) -> RefundStatus:
    """Our status for the provider's word; a new word waits, so that its money is not given back a second time."""
    return RefundStatus(word) if word in RefundStatus.values else RefundStatus.PENDING


def dispute_status(word: str) -> DisputeStatus:
    return DisputeStatus(word) if word in DisputeStatus.values else DisputeStatus.UNKNOWN


def _apply_refund(payment: Payment, refunds: list[Refund], state: RefundState, order: Order | None) -> bool:
    refund = _known_refund(refunds, state)
    if refund is None:
        refund = Refund(payment=payment, origin=RefundOrigin.PROVIDER)
        refunds.append(refund)
    before = refund.status if refund.stripe_id else ""
    changed = _write(
        refund,
        stripe_id=state.id,
        amount_minor=state.amount_minor,
        currency=state.currency,
        status=refund_status(state.status),
        reason=refund.reason or state.reason,
        failure_reason=state.failure_reason,
        failed_at=_failed_at(refund, state),
        created_at=state.created_at,
    )
    if not before and refund.status in GIVEN_BACK:
        queue_mail(kind=REFUND_ISSUED, key=str(refund.public_id), reference={"refund_id": refund.pk})
    if refund.status == RefundStatus.FAILED and before != RefundStatus.FAILED:
        _tell(payment, order, f"Refund {state.id} failed ({state.failure_reason}): give the money back another way.")
    return changed


def _known_refund(refunds: list[Refund], state: RefundState) -> Refund | None:
    """By its id, or the one of ours that its label names and that was sent without an answer coming back."""
    label = state.metadata.get("refund_id", "")
    known = [refund for refund in refunds if refund.stripe_id == state.id]
    known += [refund for refund in refunds if refund.stripe_id is None and str(refund.public_id) == label]
    return known[0] if known else None


def _failed_at(refund: Refund, state: RefundState) -> datetime | None:
    """When the money came back; of one that failed before any had gone out, when that was first seen."""
    if refund_status(state.status) != RefundStatus.FAILED:
        return None
    return state.failed_at or refund.failed_at or timezone.now()


def _apply_dispute(payment: Payment, disputes: list[Dispute], state: DisputeState, order: Order | None) -> bool:
    dispute = next((dispute for dispute in disputes if dispute.stripe_id == state.id), None)
    if dispute is None:
        dispute = Dispute(payment=payment, stripe_id=state.id)
        disputes.append(dispute)
    before = dispute.status
    changed = _write(
        dispute,
        amount_minor=state.amount_minor,
        currency=state.currency,
        status=dispute_status(state.status),
        reason=state.reason,
        is_refundable=state.is_refundable,
        answer_due_at=state.answer_due_at,
        created_at=state.created_at,
    )
    if dispute.status != before:
        _announce(payment, dispute, order, was_open=before in OPEN_DISPUTE)
    return changed


def _announce(payment: Payment, dispute: Dispute, order: Order | None, *, was_open: bool) -> None:
    reference = {"dispute_id": dispute.pk}
    if dispute.status in INQUIRY or (dispute.status in OPEN_DISPUTE and not was_open):
        _tell(payment, order, f"Dispute {dispute.stripe_id} ({dispute.reason}){_due(dispute.answer_due_at)}.")
    if dispute.status in OPEN_DISPUTE:
        queue_mail(kind=DISPUTE_OPENED, key=dispute.stripe_id, reference=reference)
    elif dispute.status not in INQUIRY:
        if dispute.status == DisputeStatus.LOST:
            _tell(payment, order, f"Dispute {dispute.stripe_id} is lost.")
        if dispute.status == DisputeStatus.WON and settings.PAYMENTS_DISPUTE_WON == "flag":
            _tell(payment, order, f"Dispute {dispute.stripe_id} is won: decide whether the course is given back.")
        queue_mail(kind=DISPUTE_CLOSED, key=dispute.stripe_id, reference=reference)


def _due(moment: datetime | None) -> str:
    return f": answer by {moment:%Y-%m-%d %H:%M} UTC" if moment else ""


def _tell(payment: Payment, order: Order | None, reason: str) -> None:
    if order is not None:
        flag(order, reason)
    else:
        alert("Payment %s, whose order is gone: %s", payment.public_id, reason)


def _settle_status(payment: Payment, refunds: list[Refund], disputes: list[Dispute]) -> None:
    given = sum(refund.amount_minor for refund in refunds if refund.stripe_id and refund.status in GIVEN_BACK)
    lost = sum(dispute.amount_minor for dispute in disputes if dispute.status == DisputeStatus.LOST)
    # A bank may take more than is left, after a partial refund: never more is noted than came in.
    payment.refunded_minor = min(payment.paid_minor, given + lost)
    if payment.status in SETTLED:
        is_all = payment.paid_minor > 0 and payment.refunded_minor == payment.paid_minor
        payment.status = PaymentStatus.REFUNDED if is_all else PaymentStatus.COMPLETED


def _write(row: models.Model, **values: Any) -> bool:
    """Set the values and save when one differs, or the row is new; tells whether it was saved."""
    if row.pk is not None and all(getattr(row, name) == value for name, value in values.items()):
        return False
    for name, value in values.items():
        setattr(row, name, value)
    row.save()
    return True
