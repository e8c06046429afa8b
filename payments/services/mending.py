"""What an operator does to an order by hand, beside asking Stripe and giving money back."""

from django.db import transaction
from django.utils import timezone

from mailing.models import OutgoingMail
from mailing.services import queue_mail, send_again
from payments.models import GRANTS_ACCESS, PAID_FOR_NOBODY, Access, Order, Payment
from payments.services.mails import ORDER_CONFIRMATION


def resend_confirmation(order: Order) -> bool:
    """Send the order's confirmation once more, or for the first time; False when it is unpaid or opens nothing."""
    if order.status not in GRANTS_ACCESS or not order.items.filter(access=Access.GRANTED).exists():
        return False
    key = str(order.public_id)
    sent = OutgoingMail.objects.filter(kind=ORDER_CONFIRMATION, key=key).first()
    if sent is not None:
        send_again(sent)
    else:
        queue_mail(kind=ORDER_CONFIRMATION, key=key, reference={"order_id": order.pk})
    return True


def mark_order_seen_to(order: Order, *, reason: str) -> bool:
    """Take an order off the list of those that need attention, for the reason that was read.

    False when there is another reason by now, or none: it has not been seen.
    """
    seen = Order.objects.filter(pk=order.pk, needs_attention=reason).exclude(needs_attention="")
    return bool(seen.update(needs_attention=""))


@transaction.atomic
def mark_payment_seen_to(payment: Payment) -> bool:
    """Say that a person dealt with money that came for nobody; False for a payment that was for somebody."""
    locked = Payment.objects.select_for_update(of=("self",)).get(pk=payment.pk)
    if locked.failure_code not in PAID_FOR_NOBODY:
        return False
    locked.seen_to_at = timezone.now()
    locked.save(update_fields=["seen_to_at", "updated_at"])
    return True
