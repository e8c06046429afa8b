"""Orders for a spreadsheet: one row for each time that money moved, or for an order that cost nothing."""

from collections.abc import Iterator
from typing import Any

from django.db.models import Prefetch, QuerySet

from payments.amounts import decimal_text
from payments.models import MONEY_CAME, PAID_FOR_NOBODY, Dispute, Order, Payment, Refund

BATCH = 500
HEADER = (
    "row",
    "time",
    "order",
    "order_status",
    "student_id",
    "student_email",
    "courses",
    "payment",
    "status",
    "reason",
    "currency",
    "amount_minor",
    "amount",
    "stripe_id",
)
Row = tuple[object, ...]


def order_rows(orders: QuerySet[Order], *, with_orphans: bool = False) -> Iterator[Row]:
    """The header, then the rows of the orders by age, and of payments whose order is gone if asked for.

    `row` says what moved: `payment` came in, `refund` and `dispute` went back; amounts are never negative. `order` is
    one that was free. At most BATCH orders are held at once.
    """
    yield HEADER
    chosen = Order.objects.filter(pk__in=orders.order_by().values("pk")).select_related("user")
    for order in _in_batches(chosen.prefetch_related("items", Prefetch("payments", _with_money_back()))):
        yield from _rows_of(order)
    if with_orphans:
        for payment in _in_batches(_with_money_back().filter(order=None)):
            yield from _rows_of_payment(payment, None)


def _in_batches(rows: QuerySet[Any]) -> Iterator[Any]:
    last = 0
    while batch := list(rows.filter(pk__gt=last).order_by("pk")[:BATCH]):
        yield from batch
        last = batch[-1].pk


def _with_money_back() -> QuerySet[Payment]:
    return Payment.objects.order_by("attempt", "pk").prefetch_related("refunds", "disputes")


def _rows_of(order: Order) -> Iterator[Row]:
    if order.total_minor == 0 and order.status in MONEY_CAME:
        yield _row("order", order, None, order.paid_at, order.status, "free", order.currency, 0, "")
    for payment in order.payments.all():
        yield from _rows_of_payment(payment, order)


def _rows_of_payment(payment: Payment, order: Order | None) -> Iterator[Row]:
    if payment.has_money:
        status = "for nobody" if payment.failure_code in PAID_FOR_NOBODY else payment.get_status_display().lower()
        about = (payment.paid_at, status, payment.failure_code, payment.currency, payment.paid_minor)
        yield _row("payment", order, payment, *about, payment.stripe_payment_intent)
    back: list[tuple[str, Refund | Dispute]] = [("refund", refund) for refund in payment.refunds.all()]
    back += [("dispute", dispute) for dispute in payment.disputes.all()]
    for kind, row in sorted(back, key=lambda pair: pair[1].created_at):
        about = (row.created_at, row.status, row.reason, row.currency, row.amount_minor)
        yield _row(kind, order, payment, *about, row.stripe_id)


def _row(
    kind: str,
    order: Order | None,
    payment: Payment | None,
    moment: object,
    status: str,
    reason: str,
    currency: str,
    amount_minor: int,
    stripe_id: str | None,
) -> Row:
    return (
        kind,
        moment,
        order and str(order.public_id),
        order and order.status,
        order and order.user_id,
        order and order.user.email,
        order and "; ".join(item.title for item in order.items.all()),
        payment and str(payment.public_id),
        status,
        reason,
        currency,
        amount_minor,
        decimal_text(amount_minor, currency),
        stripe_id,
    )
