"""What was paid twice: given back by itself or put before a person, as PAYMENTS_DOUBLE_PAYMENT says."""

import uuid
from collections.abc import Sequence

from django.conf import settings

from background import enqueue
from payments.errors import RefundRefused
from payments.models import Order, OrderItem, Payment, PaymentStatus, RefundOrigin, RefundReason
from payments.services.recompute import PaymentFacts, flag, is_given_up
from payments.services.refund_requests import item_shares, refundable_minor, reserve_refund


def give_back_duplicates(order: Order, payments: Sequence[PaymentFacts], items: Sequence[OrderItem]) -> None:
    """For items that the student owned already when they were paid; the caller holds the order's lock."""
    standing = _standing(payments) if items else []
    if not standing:
        return
    payment = _in_order_of_time(order, standing)[-1]
    shares = item_shares(payment)
    for item in items:
        reason = f"Paid for {item.course.slug}, which the student owned already."
        if shares[item.pk]:
            _give_back(order, payment, shares[item.pk], key=f"duplicate:{item.pk}", reason=reason, items=[item])


def give_back_surplus(order: Order, payments: Sequence[PaymentFacts]) -> None:
    """For an order that was paid more than once: the first payment that stands stays, the others go back.

    One that is disputed stays only where there is no other. `payments` is what `recompute` gave; the caller holds the
    order's lock.
    """
    standing = _standing(payments)
    if len(standing) < 2:
        return
    disputed = {payment.attempt for payment in standing if payment.is_disputed}
    for payment in sorted(_in_order_of_time(order, standing), key=lambda payment: payment.attempt in disputed)[1:]:
        reason = "Paid more than once: give the rest back."
        if left := refundable_minor(payment):
            _give_back(order, payment, left, key="surplus", reason=reason, items=[])


def _standing(payments: Sequence[PaymentFacts]) -> list[PaymentFacts]:
    """Those whose money was not claimed back."""
    completed = [payment for payment in payments if payment.status == PaymentStatus.COMPLETED]
    return [payment for payment in completed if not is_given_up(payment, counts_lost=True)]


def _in_order_of_time(order: Order, payments: Sequence[PaymentFacts]) -> list[Payment]:
    attempts = [payment.attempt for payment in payments]
    return list(order.payments.filter(attempt__in=attempts).order_by("paid_at", "attempt"))


def _give_back(
    order: Order, payment: Payment, amount_minor: int, *, key: str, reason: str, items: list[OrderItem]
) -> None:
    if settings.PAYMENTS_DOUBLE_PAYMENT != "refund":
        flag(order, reason)
        order.save(update_fields=["needs_attention"])
        return
    try:
        refund, is_new = reserve_refund(
            payment=payment,
            amount_minor=amount_minor,
            reason=RefundReason.DUPLICATE,
            origin=RefundOrigin.AUTOMATIC,
            items=items,
            public_id=uuid.uuid5(payment.public_id, key),
        )
    except RefundRefused as error:
        if error.code != "nothing_left":
            flag(order, reason)
            order.save(update_fields=["needs_attention"])
        return
    if is_new:
        enqueue("payments.send_refund", refund.pk)
