"""What a student has of an order now, derived from its rows; granting and ending follow the difference."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.conf import settings

from courses.models import EnrollmentSource
from courses.services import end_right, enroll
from payments.models import MONEY_CAME, SETTLED, Access, Order, OrderItem, RefundItem, RefundStatus
from payments.services.recompute import PaymentFacts, is_given_up

ENDED_BY = {Access.REVOKED: "refunded", Access.SUSPENDED: "disputed"}


@dataclass(frozen=True, kw_only=True)
class Given:
    """The items that are open from now on, and those of them that the student owned already by another right."""

    items: list[OrderItem]
    duplicates: list[OrderItem]


def derive_access(*, order: Order, payments: Sequence[PaymentFacts], named_by: Collection[int]) -> Access:
    """What one item of the order gives: what the best payment gives that was not claimed back, as a whole or for it.

    `named_by` holds the attempts of the payments whose refunds name the item. Settings: PAYMENTS_DISPUTE_OPENED
    (`suspend` or `flag`), PAYMENTS_DISPUTE_WON (`restore` or `flag`) and PAYMENTS_DISPUTE_LOST (`revoke` or `flag`).
    """
    if order.status not in MONEY_CAME:
        return Access.NONE
    settled = [payment for payment in payments if payment.status in SETTLED]
    counts_lost = settings.PAYMENTS_DISPUTE_LOST == "revoke"
    standing = [
        payment
        for payment in settled
        if payment.attempt not in named_by and not is_given_up(payment, counts_lost=counts_lost)
    ]
    if settled and not standing:
        return Access.REVOKED
    return Access.SUSPENDED if standing and all(map(_is_paused, standing)) else Access.GRANTED


def attempts_refunded(order: Order, payments: Sequence[PaymentFacts]) -> dict[int, set[int]]:
    """For each item (its id) the attempts whose refunds name it, of refunds that Stripe has had.

    Failed ones included: who asked for the money has given up the course.
    """
    found: dict[int, set[int]] = defaultdict(set)
    if any(payment.claimed_minor for payment in payments):
        asked = RefundItem.objects.filter(refund__payment__order=order).exclude(refund__stripe_id=None)
        kept = asked.exclude(refund__status=RefundStatus.CANCELED)
        for item_id, attempt in kept.values_list("item_id", "refund__payment__attempt"):
            found[item_id].add(attempt)
    return found


def bring_in_line(order: Order, payments: Sequence[PaymentFacts]) -> Given:
    """Give or end what the order's items stand for.

    Called inside a transaction that holds the order's lock. Rows of one course are taken in the order of their ids.
    """
    given = Given(items=[], duplicates=[])
    refunded = attempts_refunded(order, payments)
    for item in order.items.select_related("course").order_by("course_id"):
        access = derive_access(order=order, payments=payments, named_by=refunded[item.pk])
        if access == item.access:
            continue
        before, item.access = item.access, access
        if access == Access.GRANTED:
            given.items.append(item)
            if not _grant(order, item) and (before != Access.SUSPENDED or order.fulfilled_at is None):
                item.is_duplicate = True
                given.duplicates.append(item)
        item.save(update_fields=["access", "is_duplicate"])
        if before == Access.GRANTED:
            _end(order, item)
    return given


def _is_paused(payment: PaymentFacts) -> bool:
    if settings.PAYMENTS_DISPUTE_OPENED != "suspend":
        return False
    return payment.is_disputed or (settings.PAYMENTS_DISPUTE_WON == "flag" and payment.is_won)


def _grant(order: Order, item: OrderItem) -> bool:
    """Whether the student has the course by this order now, and not by another right."""
    enrollment, _ = enroll(
        user=order.user,
        course=item.course,
        source=EnrollmentSource.ORDER if order.total_minor else EnrollmentSource.FREE,
        source_reference=str(order.public_id),
    )
    return enrollment.source_reference == str(order.public_id)


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
