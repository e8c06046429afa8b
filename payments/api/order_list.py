"""The rows of `orders/`: what OrderSerializer shows of an order, read for a whole page at once."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from courses import money
from payments.models import Order, OrderItem, Payment, PaymentStatus


def order_rows(orders: Sequence[Order]) -> list[dict[str, Any]]:
    """The JSON of each of `orders`; two statements whatever their number."""
    ids = [order.pk for order in orders]
    items, payments = _items_of(ids), _payments_of(ids)
    return [
        {
            "id": order.public_id,
            "status": order.status,
            "currency": order.currency,
            "total_minor": order.total_minor,
            "total_display": money.display(order.total_minor, order.currency),
            "created_at": order.created_at,
            "paid_at": order.paid_at,
            "items": items[order.pk],
            "payments": payments[order.pk],
        }
        for order in orders
    ]


def _items_of(order_ids: list[int]) -> dict[int, list[dict[str, Any]]]:
    columns = ("order_id", "course__slug", "title", "net_minor")
    found = defaultdict(list)
    for order_id, slug, title, net_minor in (
        OrderItem.objects.filter(order__in=order_ids).order_by("pk").values_list(*columns)
    ):
        found[order_id].append({"course": {"slug": slug, "title": title}, "net_minor": net_minor})
    return found


def _payments_of(order_ids: list[int]) -> dict[int, list[dict[str, Any]]]:
    columns = ("order_id", "public_id", "status", "amount_minor")
    found = defaultdict(list)
    for order_id, public_id, status, amount_minor in (
        Payment.objects.filter(order__in=order_ids).order_by("attempt").values_list(*columns)
    ):
        in_words = PaymentStatus(status).name.lower()
        found[order_id].append(
            {"id": public_id, "status": status, "status_display": in_words, "amount_minor": amount_minor}
        )
    return found
