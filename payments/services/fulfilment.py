from collections.abc import Sequence

from django.utils import timezone

from mailing.services import queue_mail
from payments.models import MONEY_CAME, Access, Order
from payments.services.double_payments import give_back_duplicates
from payments.services.mails import ORDER_CONFIRMATION
from payments.services.recompute import PaymentFacts
from payments.services.rights import bring_in_line


def fulfil(order: Order, payments: Sequence[PaymentFacts]) -> None:
    """Give the student what the order holds by now, or end it, and confirm a paid order once.

    `payments` is what `recompute` gave. Of several callers the conditional UPDATE lets one through, on every database.
    Called inside a transaction that holds the order's lock.
    """
    if order.status not in MONEY_CAME:
        return
    changed = bring_in_line(order, payments)
    now = timezone.now()
    if order.fulfilled_at or not Order.objects.filter(pk=order.pk, fulfilled_at=None).update(fulfilled_at=now):
        return
    order.fulfilled_at = now
    if any(item.access == Access.GRANTED for item in changed):
        queue_mail(kind=ORDER_CONFIRMATION, key=str(order.public_id), reference={"order_id": order.pk})
    give_back_duplicates(order, [item for item in changed if item.is_duplicate])
