"""What the API shows of orders, read for a whole page at once."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from courses import money
from payments.api.order_words import OrderInWords
from payments.models import GIVEN_BACK, PAID_FOR_NOBODY, SETTLED, FailureCode, Order, OrderItem, Payment, PaymentStatus
from payments.services.receipts import has_receipt


@dataclass(frozen=True, kw_only=True)
class _Refund:
    amount_minor: int
    currency: str
    status: str
    created_at: datetime


@dataclass(frozen=True, kw_only=True)
class _Payment:
    public_id: UUID
    status: int
    failure_code: str
    charge_id: str
    amount_minor: int
    discount_minor: int
    refunded_minor: int
    seen_to_at: datetime | None
    refunds: list[_Refund] = field(default_factory=list)

    @property
    def is_unmatched(self) -> bool:
        """Whether it brought money that gave nothing."""
        return self.failure_code in PAID_FOR_NOBODY

    @property
    def is_under_review(self) -> bool:
        """Whether a person still has to look at what it brought; buying waits for that."""
        if not self.is_unmatched or self.seen_to_at is not None:
            return False
        if self.failure_code == FailureCode.MISMATCH:  # what it took is not known here: any refund counts as all
            return self.refunded_minor == 0
        return self.refunded_minor < self.amount_minor - self.discount_minor


def order_rows(orders: Sequence[Order]) -> list[dict[str, Any]]:
    """The JSON of each of `orders`; two statements whatever their number."""
    ids = [order.pk for order in orders]
    items, payments = _items_of(ids), _payments_of(ids)
    return [_row(order, items[order.pk], list(payments[order.pk].values())) for order in orders]


def _row(order: Order, items: list[OrderItem], payments: list[_Payment]) -> dict[str, Any]:
    refunded_minor = sum(payment.refunded_minor for payment in payments)
    discount_minor = max((payment.discount_minor for payment in payments if payment.status in SETTLED), default=0)
    refunds = sorted((refund for payment in payments for refund in payment.refunds), key=lambda one: one.created_at)
    return {
        "id": order.public_id,
        "status": order.status,
        "is_under_review": any(payment.is_under_review for payment in payments),
        "status_text": _in_words(order, items, payments).sentence(),
        "currency": order.currency,
        "total_minor": order.total_minor,
        "total_display": money.display(order.total_minor, order.currency),
        "discount_minor": discount_minor,
        "discount_display": money.display(discount_minor, order.currency),
        "refunded_minor": refunded_minor,
        "refunded_display": money.display(refunded_minor, order.currency),
        "created_at": order.created_at,
        "paid_at": order.paid_at,
        "has_receipt": any(
            has_receipt(status=payment.status, failure_code=payment.failure_code, charge_id=payment.charge_id)
            for payment in payments
        ),
        "items": [_item(item) for item in items],
        "payments": [_payment(payment) for payment in payments],
        "refunds": [_refund(refund) for refund in refunds],
    }


def _in_words(order: Order, items: list[OrderItem], payments: list[_Payment]) -> OrderInWords:
    refunds = [refund for payment in payments for refund in payment.refunds]
    return OrderInWords(
        status=order.status,
        total_minor=order.total_minor,
        accesses=tuple(item.access for item in items),
        is_duplicate=any(item.is_duplicate for item in items),
        has_unmatched=any(payment.is_unmatched for payment in payments),
        is_under_review=any(payment.is_under_review for payment in payments),
        refunded_minor=sum(payment.refunded_minor for payment in payments),
        given_minor=sum(refund.amount_minor for refund in refunds if refund.status in GIVEN_BACK),
    )


def _item(item: OrderItem) -> dict[str, Any]:
    course = {"slug": item.course.slug, "title": item.title}
    return {"course": course, "net_minor": item.net_minor, "access": item.access}


def _payment(payment: _Payment) -> dict[str, Any]:
    return {
        "id": payment.public_id,
        "status": payment.status,
        "status_display": PaymentStatus(payment.status).name.lower(),
        "amount_minor": payment.amount_minor,
    }


def _refund(refund: _Refund) -> dict[str, Any]:
    return {
        "amount_minor": refund.amount_minor,
        "amount_display": money.display(refund.amount_minor, refund.currency),
        "status": refund.status,
        "created_at": refund.created_at,
    }


def _items_of(order_ids: list[int]) -> dict[int, list[OrderItem]]:
    found = defaultdict(list)
    columns = ("order_id", "title", "net_minor", "access", "is_duplicate", "course__slug")
    for item in OrderItem.objects.filter(order__in=order_ids).select_related("course").only(*columns).order_by("pk"):
        found[item.order_id].append(item)
    return found


def _payments_of(order_ids: list[int]) -> dict[int, dict[UUID, _Payment]]:
    """The payments of each order by their ids, with their refunds: one row of the join for each pair."""
    found: dict[int, dict[UUID, _Payment]] = defaultdict(dict)
    payments = Payment.objects.filter(order__in=order_ids).order_by("attempt", "refunds__created_at", "refunds__pk")
    columns = [column.name for column in fields(_Payment) if column.name != "refunds"]
    of_refund = [column.name for column in fields(_Refund)]
    names = ("order_id", "refunds__stripe_id", *(f"refunds__{name}" for name in of_refund), *columns)
    for order_id, stripe_id, *values in payments.values_list(*names):
        refund, payment = values[: len(of_refund)], dict(zip(columns, values[len(of_refund) :], strict=True))
        known = found[order_id].setdefault(payment["public_id"], _Payment(**payment))
        made = _Refund(**dict(zip(of_refund, refund, strict=True)))
        if made.status and (stripe_id or made.status in GIVEN_BACK):  # one that was refused outright never was a refund
            known.refunds.append(made)
    return found
