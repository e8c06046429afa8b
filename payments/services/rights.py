"""What a student has of an order now, derived from its rows; granting and ending follow the difference."""

from collections.abc import Sequence

from django.conf import settings

from courses.models import EnrollmentSource
from courses.services import end_right, enroll
from payments.models import MONEY_CAME, Access, Order, OrderItem, RefundItem, RefundStatus
from payments.services.recompute import PaymentFacts, is_given_up

ENDED_BY = {Access.REVOKED: "refunded", Access.SUSPENDED: "disputed"}


def derive_access(*, order: Order, payments: Sequence[PaymentFacts], is_named_in_refund: bool) -> Access:
    """What one item of the order gives, by the order's status and the policies for disputes.

    Settings: PAYMENTS_DISPUTE_OPENED (`suspend` or `flag`), PAYMENTS_DISPUTE_WON (`restore` or `flag`) and
    PAYMENTS_DISPUTE_LOST (`revoke` or `flag`).
    """
    if order.status not in MONEY_CAME:
        return Access.NONE
    if is_named_in_refund or is_given_up(payments, counts_lost=settings.PAYMENTS_DISPUTE_LOST == "revoke"):
        return Access.REVOKED
    pauses = settings.PAYMENTS_DISPUTE_OPENED == "suspend"
    if pauses and any(payment.is_disputed for payment in payments):
        return Access.SUSPENDED
    if pauses and settings.PAYMENTS_DISPUTE_WON == "flag" and any(payment.is_won for payment in payments):
        return Access.SUSPENDED
    return Access.GRANTED


def bring_in_line(order: Order, payments: Sequence[PaymentFacts]) -> list[OrderItem]:
    """Give or end what the order's items stand for; gives the items whose access has changed.

    Called inside a transaction that holds the order's lock. Rows of one course are taken in the order of their ids.
    """
    changed = []
    named = _items_named_in_refunds(order) if any(payment.claimed_minor for payment in payments) else set()
    for item in order.items.select_related("course").order_by("course_id"):
        access = derive_access(order=order, payments=payments, is_named_in_refund=item.pk in named)
        if access == item.access:
            continue
        before, item.access = item.access, access
        if access == Access.GRANTED:
            is_new = _grant(order, item)
            item.is_duplicate = item.is_duplicate or (before == Access.NONE and not is_new)
        item.save(update_fields=["access", "is_duplicate"])
        if before == Access.GRANTED:
            _end(order, item)
        changed.append(item)
    return changed


def _items_named_in_refunds(order: Order) -> set[int]:
    """Those of refunds that Stripe has had, failed ones included: who asked for the money has given up the course."""
    asked = RefundItem.objects.filter(item__order=order).exclude(refund__stripe_id=None)
    return set(asked.exclude(refund__status=RefundStatus.CANCELED).values_list("item_id", flat=True))


def _grant(order: Order, item: OrderItem) -> bool:
    _, is_new = enroll(
        user=order.user,
        course=item.course,
        source=EnrollmentSource.ORDER if order.total_minor else EnrollmentSource.FREE,
        source_reference=str(order.public_id),
    )
    return is_new


def _end(order: Order, item: OrderItem) -> None:
    """End the right that came from this order; another paid order of the same course takes its place."""
    others = OrderItem.objects.filter(course=item.course, order__user=order.user, access=Access.GRANTED)
    end_right(
        user=order.user,
        course=item.course,
        source_reference=str(order.public_id),
        reason=ENDED_BY[Access(item.access)],
        heirs=lambda: [
            str(public_id)
            for public_id in others.exclude(order=order).order_by("pk").values_list("order__public_id", flat=True)
        ],
    )
