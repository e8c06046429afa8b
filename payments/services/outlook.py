"""What a refund would do, told before it is made; nothing is changed here."""

from collections.abc import Collection
from dataclasses import dataclass, replace

from courses.models import Enrollment
from payments.models import SETTLED, Access, Order, OrderItem, Payment, PaymentStatus
from payments.services.recompute import PaymentFacts, derive_status
from payments.services.refund_requests import item_shares
from payments.services.rights import attempts_refunded, derive_access


@dataclass(frozen=True, kw_only=True)
class ItemOutlook:
    """An item of the order: what was paid for it, and whether the student loses the course by the refund."""

    item: OrderItem
    share_minor: int
    ends: bool

    @property
    def is_owned(self) -> bool:
        return self.item.access == Access.GRANTED


def refund_outlook(payment: Payment, *, amount_minor: int, named: Collection[int] = ()) -> list[ItemOutlook]:
    """What becomes of the order's courses when so much of the payment is given back and the items `named` (ids) go.

    A course stays when the student's right to it comes from elsewhere, or another paid order takes over. Nothing for a
    payment whose order is gone; seven statements.
    """
    order = payment.order
    if order is None:
        return []
    facts = [_after(row, payment, amount_minor) for row in order.payments.prefetch_related("refunds", "disputes")]
    then = Order(status=derive_status(order.total_minor, facts), total_minor=order.total_minor)
    shares, refunded = item_shares(payment), attempts_refunded(order, facts)
    bound = _bound_to(order)
    for item_id in named:
        refunded[item_id].add(payment.attempt)
    return [
        ItemOutlook(
            item=item,
            share_minor=shares[item.pk],
            ends=item.access == Access.GRANTED
            and item.course_id in bound
            and derive_access(order=then, payments=facts, named_by=refunded[item.pk]) != Access.GRANTED,
        )
        for item in order.items.select_related("course").order_by("pk")
    ]


def _after(row: Payment, refunded: Payment, amount_minor: int) -> PaymentFacts:
    facts = PaymentFacts.of(row)
    if row.pk != refunded.pk or row.status not in SETTLED:
        return facts
    back_minor = min(facts.paid_minor, facts.refunded_minor + amount_minor)
    return replace(
        facts,
        refunded_minor=back_minor,
        claimed_minor=facts.claimed_minor + amount_minor,
        status=PaymentStatus.REFUNDED if back_minor == facts.paid_minor else PaymentStatus.COMPLETED,
    )


def _bound_to(order: Order) -> set[int]:
    """The courses that the student has by this order alone."""
    mine = Enrollment.objects.active().filter(user=order.user_id, source_reference=str(order.public_id))
    heirs = OrderItem.objects.filter(order__user=order.user_id, access=Access.GRANTED).exclude(order=order)
    return set(mine.values_list("course_id", flat=True)) - set(heirs.values_list("course_id", flat=True))
