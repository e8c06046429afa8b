from collections.abc import Sequence

from django.utils import timezone

from mailing.services import queue_mail
from payments.models import MONEY_CAME, Order
from payments.services.double_payments import give_back_duplicates
from payments.services.mails import ORDER_CONFIRMATION
from payments.services.recompute import PaymentFacts
from payments.services.rights import bring_in_line


def fulfil(order: Order, payments: Sequence[PaymentFacts]) -> None:
    """Give the student what the order holds by now, or end it, and confirm the order when it first gives something.

    `payments` is what `recompute` gave. Of several callers the conditional UPDATE lets one through, on every database.
    Called inside a transaction that holds the order's lock.
    """
    if order.status not in MONEY_CAME:
        return
    given = bring_in_line(order, payments)
    if given.items and _is_first(order):
        queue_mail(kind=ORDER_CONFIRMATION, key=str(order.public_id), reference={"order_id": order.pk})
    give_back_duplicates(order, payments, given.duplicates)


def _is_first(order: Order) -> bool:
    now = timezone.now()
    if order.fulfilled_at or not Order.objects.filter(pk=order.pk, fulfilled_at=None).update(fulfilled_at=now):
        return False
    order.fulfilled_at = now
    return True
