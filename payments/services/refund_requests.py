"""Which money may be given back. An amount is reserved under the payment's lock before the provider is asked."""

import uuid
from collections.abc import Sequence
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from payments.errors import RefundRefused
from payments.models import (
    GIVEN_BACK,
    OPEN_DISPUTE,
    DisputeStatus,
    Order,
    OrderItem,
    Payment,
    Refund,
    RefundItem,
    RefundOrigin,
    RefundReason,
)
from payments.spreading import spread

if TYPE_CHECKING:
    from users.models import User


def refundable_minor(payment: Payment) -> int:
    """What is left to give back: paid, less every refund asked for that has not failed, less what a bank took."""
    if not payment.has_money:
        return 0
    reserved = sum(payment.refunds.reserved().values_list("amount_minor", flat=True))
    lost = sum(payment.disputes.filter(status=DisputeStatus.LOST).values_list("amount_minor", flat=True))
    return max(0, payment.paid_minor - reserved - lost)


def item_shares(payment: Payment) -> dict[int, int]:
    """What a payment pays for each item of its order, by the item's id: the discount of a promotion code is shared."""
    items = list(OrderItem.objects.filter(order=payment.order_id).order_by("pk"))
    shares = spread(payment.paid_minor, [item.net_minor for item in items])
    return dict(zip([item.pk for item in items], shares, strict=True))


@transaction.atomic
def request_refund(
    *,
    payment: Payment,
    amount_minor: int | None = None,
    items: Sequence[OrderItem] = (),
    reason: RefundReason = RefundReason.REQUESTED_BY_CUSTOMER,
    requested_by: "User | None" = None,
    public_id: uuid.UUID | None = None,
) -> Refund:
    """Reserve a refund of a payment: of an amount, of what the named items cost, or of everything that is left.

    The students lose the named items. A known `public_id` gives the refund there is. Nothing is sent yet:
    `send_refund` does that after the commit. Raises RefundRefused.
    """
    Order.objects.select_for_update(of=("self",)).filter(payments=payment).first()
    payment = Payment.objects.select_for_update(of=("self",)).get(pk=payment.pk)
    left = refundable_minor(payment)
    if any(item.order_id != payment.order_id for item in items):
        raise RefundRefused("the payment is for another order", code="not_paid")
    _refuse_named_before(payment, items, but_for=public_id)
    if amount_minor is None and items:
        shares = item_shares(payment)
        amount_minor = min(left, sum(shares[item.pk] for item in items))
    refund, _ = reserve_refund(
        payment=payment,
        amount_minor=left if amount_minor is None else amount_minor,
        reason=reason,
        origin=RefundOrigin.STAFF,
        items=items,
        requested_by=requested_by,
        public_id=public_id,
    )
    return refund


def reserve_refund(
    *,
    payment: Payment,
    amount_minor: int,
    reason: RefundReason,
    origin: RefundOrigin,
    items: Sequence[OrderItem] = (),
    requested_by: "User | None" = None,
    public_id: uuid.UUID | None = None,
) -> tuple[Refund, bool]:
    """Write the refund that is to be sent; a known `public_id` gives the one there is. The caller holds the locks.

    Returns the refund and whether it is new; raises RefundRefused.
    """
    known = Refund.objects.filter(public_id=public_id).first() if public_id else None
    if known is not None:
        return known, False
    _refuse_impossible(payment, amount_minor)
    refund = Refund.objects.create(
        public_id=public_id or uuid.uuid4(),
        payment=payment,
        amount_minor=amount_minor,
        currency=payment.currency,
        origin=origin,
        reason=reason,
        requested_by=requested_by,
        created_at=timezone.now(),
    )
    RefundItem.objects.bulk_create([RefundItem(refund=refund, item=item) for item in items])
    return refund, True


def _refuse_named_before(payment: Payment, items: Sequence[OrderItem], *, but_for: uuid.UUID | None) -> None:
    """Raises RefundRefused when another refund of the payment gives one of the items back already."""
    others = RefundItem.objects.filter(item__in=items, refund__payment=payment, refund__status__in=GIVEN_BACK)
    if but_for is not None:
        others = others.exclude(refund__public_id=but_for)
    if items and others.exists():
        raise RefundRefused("the item was given back", code="nothing_left")


def _refuse_impossible(payment: Payment, amount_minor: int) -> None:
    if not payment.has_money or not payment.stripe_payment_intent:
        raise RefundRefused("nothing was paid", code="not_paid")
    if payment.disputes.filter(status__in=OPEN_DISPUTE, is_refundable=False).exists():
        raise RefundRefused("the payment is disputed", code="disputed")
    left = refundable_minor(payment)
    if left == 0:
        raise RefundRefused("everything was given back", code="nothing_left")
    if not 0 < amount_minor <= left:
        raise RefundRefused(f"between 1 and {left} can be given back", code="too_much")
