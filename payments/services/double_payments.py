"""What was paid twice: given back by itself or put before a person, as PAYMENTS_DOUBLE_PAYMENT says."""

import uuid
from collections.abc import Sequence

from django.conf import settings

from background import enqueue
from payments.errors import RefundRefused
from payments.models import SETTLED, Order, OrderItem, Payment, PaymentStatus, RefundOrigin, RefundReason
from payments.services.recompute import PaymentFacts, flag
from payments.services.refund_requests import item_shares, refundable_minor, reserve_refund


def give_back_duplicates(order: Order, items: list[OrderItem]) -> None:
    """For items that the student owned already when the order was paid; the caller holds the order's lock."""
    payment = order.payments.filter(status__in=SETTLED).order_by("attempt").last() if items else None
    if payment is None:
        return
    shares = item_shares(order)
    for item in items:
        reason = f"Paid for {item.course.slug}, which the student owned already."
        if shares[item.pk]:
            _give_back(order, payment, shares[item.pk], key=f"duplicate:{item.pk}", reason=reason, items=[item])


def give_back_surplus(order: Order, payments: Sequence[PaymentFacts]) -> None:
    """For an order that was paid more than once: the first payment that is not refunded stays, the others go back.

    `payments` is what `recompute` gave; the caller holds the order's lock.
    """
    if sum(payment.status == PaymentStatus.COMPLETED for payment in payments) < 2:
        return
    kept = order.payments.filter(status=PaymentStatus.COMPLETED).order_by("paid_at", "attempt")
    for payment in kept[1:]:
        reason = "Paid more than once: give the rest back."
        if left := refundable_minor(payment):
            _give_back(order, payment, left, key="surplus", reason=reason, items=[])


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
