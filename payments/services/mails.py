"""The mails about an order. Each is worded when it is sent, from the rows as they are then."""

from collections.abc import Collection
from typing import Any

from django.conf import settings

from courses import money
from mailing.services import Message
from payments.models import (
    GIVEN_BACK,
    GRANTS_ACCESS,
    OPEN_DISPUTE,
    Access,
    Dispute,
    DisputeStatus,
    Order,
    Payment,
    PaymentStatus,
    Refund,
)

ORDER_CONFIRMATION = "payments.order_confirmation"
PAYMENT_FAILED = "payments.payment_failed"
REFUND_ISSUED = "payments.refund_issued"
DISPUTE_OPENED = "payments.dispute_opened"
DISPUTE_CLOSED = "payments.dispute_closed"


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


def render_refund_issued(reference: dict[str, Any]) -> Message | None:
    refund = Refund.objects.filter(pk=reference["refund_id"], status__in=GIVEN_BACK).select_related("payment").first()
    order = _order(pk=refund.payment.order_id) if refund and refund.payment.order_id else None
    if refund is None or order is None:
        return None
    return Message(
        to=order.user.email,
        subject="Your refund is on its way",
        template="mail/refund_issued",
        context=_about(order) | {"amount": money.display(refund.amount_minor, refund.currency)},
    )


def render_dispute_opened(reference: dict[str, Any]) -> Message | None:
    """Nothing when the policy leaves the course open, or the dispute is over already."""
    order = _disputed_order(reference, statuses=OPEN_DISPUTE)
    if order is None or not order.items.filter(access=Access.SUSPENDED).exists():
        return None
    return Message(
        to=order.user.email,
        subject="Your course is paused while your bank looks at the payment",
        template="mail/dispute_opened",
        context=_about(order),
    )


def render_dispute_closed(reference: dict[str, Any]) -> Message | None:
    order = _disputed_order(reference, statuses=_CLOSED_DISPUTE)
    if order is None:
        return None
    has_access = order.items.filter(access=Access.GRANTED).exists()
    return Message(
        to=order.user.email,
        subject="Your course is open again" if has_access else "Your payment was taken back",
        template="mail/dispute_closed",
        context=_about(order) | {"has_access": has_access},
    )


_CLOSED_DISPUTE = (DisputeStatus.WON, DisputeStatus.LOST, DisputeStatus.PREVENTED)


def _disputed_order(reference: dict[str, Any], *, statuses: Collection[str]) -> Order | None:
    dispute = Dispute.objects.filter(pk=reference["dispute_id"], status__in=statuses).select_related("payment").first()
    return _order(pk=dispute.payment.order_id) if dispute and dispute.payment.order_id else None


def _about(order: Order) -> dict[str, Any]:
    items = [
        {"title": item.title, "link": _course_link(item.course.slug), "has_access": item.access == Access.GRANTED}
        for item in order.items.all()
    ]
    return {"name": order.user.display_name, "items": items, "order_id": str(order.public_id)}


def _order(pk: int) -> Order | None:
    order = Order.objects.select_related("user").with_details().filter(pk=pk).first()
    return order if order and order.user.is_active and order.user.email else None


def _course_link(slug: str) -> str:
    return f"{settings.FRONTEND_URL}/courses/{slug}"
