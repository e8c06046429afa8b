"""The mails about an order. Each is worded when it is sent, from the rows as they are then."""

from typing import Any

from django.conf import settings

from courses import money
from mailing.services import Message
from payments.models import GRANTS_ACCESS, Order, Payment, PaymentStatus

ORDER_CONFIRMATION = "payments.order_confirmation"
PAYMENT_FAILED = "payments.payment_failed"


def render_order_confirmation(reference: dict[str, Any]) -> Message | None:
    order = _order(pk=reference["order_id"])
    if order is None or order.status not in GRANTS_ACCESS:
        return None
    items = [
        {
            "title": item.title,
            "amount": money.display(item.net_minor, order.currency),
            "link": _course_link(item.course.slug),
        }
        for item in order.items.all()
    ]
    return Message(
        to=order.user.email,
        subject="Your order at 11Tutors",
        template="mail/order_confirmation",
        context={
            "name": order.user.display_name,
            "items": items,
            "total": money.display(order.total_minor, order.currency),
            "is_free": order.total_minor == 0,
            "order_id": str(order.public_id),
            "paid_at": order.paid_at,
        },
    )


def render_payment_failed(reference: dict[str, Any]) -> Message | None:
    payment = Payment.objects.filter(pk=reference["payment_id"], status=PaymentStatus.FAILED).first()
    order = _order(pk=payment.order_id) if payment and payment.order_id else None
    if order is None or order.status in GRANTS_ACCESS:
        return None
    return Message(
        to=order.user.email,
        subject="Your payment did not go through",
        template="mail/payment_failed",
        context={
            "name": order.user.display_name,
            "items": [{"title": item.title, "link": _course_link(item.course.slug)} for item in order.items.all()],
            "total": money.display(order.total_minor, order.currency),
        },
    )


def _order(pk: int) -> Order | None:
    order = Order.objects.select_related("user").with_details().filter(pk=pk).first()
    return order if order and order.user.is_active and order.user.email else None


def _course_link(slug: str) -> str:
    return f"{settings.FRONTEND_URL}/courses/{slug}"
