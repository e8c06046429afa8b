"""The mails about an order. Each is worded when it is sent, from the rows as they are then."""

from collections.abc import Collection
from typing import Any

from django.conf import settings

from courses import money
from courses.models import Enrollment
from mailing.services import Message
from payments.models import (
    GIVEN_BACK,
    GRANTS_ACCESS,
    OPEN_DISPUTE,
    SETTLED,
    Access,
    Dispute,
    DisputeStatus,
    Order,
    Payment,
    PaymentStatus,
    Refund,
    RefundReason,
    RefundStatus,
)

ORDER_CONFIRMATION = "payments.order_confirmation"
PAYMENT_FAILED = "payments.payment_failed"
REFUND_ISSUED = "payments.refund_issued"
DISPUTE_OPENED = "payments.dispute_opened"
DISPUTE_CLOSED = "payments.dispute_closed"


def render_order_confirmation(reference: dict[str, Any]) -> Message | None:
    order = _order(pk=reference["order_id"])
    if order is None or order.status not in GRANTS_ACCESS or not _opens_something(order):
        return None
    settled = [payment for payment in order.payments.all() if payment.status in SETTLED]
    discount_minor = max((payment.discount_minor for payment in settled), default=0)
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
            "discount": money.display(discount_minor, order.currency) if discount_minor else "",
            "total": money.display(order.total_minor - discount_minor, order.currency),
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
    """Nothing when the refund has failed or was called off meanwhile."""
    refund = Refund.objects.filter(pk=reference["refund_id"], status__in=GIVEN_BACK).select_related("payment").first()
    order = _order(pk=refund.payment.order_id) if refund and refund.payment.order_id else None
    if refund is None or order is None:
        return None
    is_double = refund.reason == RefundReason.DUPLICATE
    return Message(
        to=order.user.email,
        subject="You paid twice: your refund is on its way" if is_double else "Your refund is on its way",
        template="mail/refund_issued",
        context=_about(order)
        | {
            "amount": money.display(refund.amount_minor, refund.currency),
            "paid": money.display(refund.payment.paid_minor, refund.currency),
            "is_all": refund.amount_minor == refund.payment.paid_minor or refund.payment.status not in SETTLED,
            "is_double": is_double,
            "needs_details": refund.status == RefundStatus.REQUIRES_ACTION,
        },
    )


def render_dispute_opened(reference: dict[str, Any]) -> Message | None:
    """Nothing when the dispute is over already, or takes no course from the student."""
    dispute = _dispute(reference, statuses=OPEN_DISPUTE)
    order = _order(pk=dispute.payment.order_id) if dispute and dispute.payment.order_id else None
    if dispute is None or order is None:
        return None
    about = _about(order)
    if not about["paused"]:
        return None
    return Message(
        to=order.user.email,
        subject="Your course is paused while your bank looks at a payment",
        template="mail/dispute_opened",
        context=about | {"amount": money.display(dispute.amount_minor, dispute.currency)},
    )


def render_dispute_closed(reference: dict[str, Any]) -> Message | None:
    """Nothing when it changes nothing: by policy no course was paused, or another dispute is still open."""
    dispute = _dispute(reference, statuses=(DisputeStatus.WON, DisputeStatus.LOST))
    order = _order(pk=dispute.payment.order_id) if dispute and dispute.payment.order_id else None
    if dispute is None or order is None or _has_open_dispute(order):
        return None
    about = _about(order)
    is_lost = dispute.status == DisputeStatus.LOST
    was_paused = settings.PAYMENTS_DISPUTE_OPENED == "suspend"
    if not is_lost and not about["paused"] and not (about["open"] and was_paused):
        return None
    return Message(
        to=order.user.email,
        subject=_closing_words(is_lost=is_lost, is_paused=bool(about["paused"])),
        template="mail/dispute_closed",
        context=about | {"is_lost": is_lost, "amount": money.display(dispute.amount_minor, dispute.currency)},
    )


def _closing_words(*, is_lost: bool, is_paused: bool) -> str:
    if is_lost:
        return "Your bank has returned your payment"
    return "Your bank has decided about your payment" if is_paused else "Your course is open"


def _dispute(reference: dict[str, Any], *, statuses: Collection[str]) -> Dispute | None:
    return Dispute.objects.filter(pk=reference["dispute_id"], status__in=statuses).select_related("payment").first()


def _has_open_dispute(order: Order) -> bool:
    return Dispute.objects.filter(payment__order=order, status__in=OPEN_DISPUTE).exists()


def _about(order: Order) -> dict[str, Any]:
    """What every mail about an order says; a course may be open to the student by another right than this order."""
    items = list(order.items.all())
    owned = set(
        Enrollment.objects.active()
        .filter(user=order.user, course__in=[item.course_id for item in items])
        .values_list("course_id", flat=True)
    )
    described = [
        {
            "title": item.title,
            "link": _course_link(item.course.slug),
            "has_access": item.course_id in owned,
            "access": item.access,
        }
        for item in items
    ]
    without = [item for item in described if not item["has_access"]]
    return {
        "name": order.user.display_name,
        "open": [item for item in described if item["has_access"]],
        "paused": [item for item in without if item["access"] == Access.SUSPENDED],
        "closed": [item for item in without if item["access"] == Access.REVOKED],
        "order_id": str(order.public_id),
        "orders_link": f"{settings.FRONTEND_URL}/dashboard",
    }


def _opens_something(order: Order) -> bool:
    return any(item.access == Access.GRANTED for item in order.items.all())


def _order(pk: int) -> Order | None:
    order = Order.objects.select_related("user").with_details().filter(pk=pk).first()
    return order if order and order.user.is_active and order.user.email else None


def _course_link(slug: str) -> str:
    return f"{settings.FRONTEND_URL}/courses/{slug}"
