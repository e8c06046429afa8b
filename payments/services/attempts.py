from django.db import transaction
from django.utils import timezone

from payments.models import FailureCode, Order, Payment, PaymentStatus
from payments.services.recompute import recompute


@transaction.atomic
def close_attempt(payment: Payment, code: FailureCode) -> None:
    """Close a pending attempt that Stripe cannot be asked about, and bring its order in line.

    Nothing happens when the attempt has moved on meanwhile. If its session exists and is paid all the same, the
    session's metadata leads back here and the money is honoured.
    """
    order = Order.objects.select_for_update(of=("self",)).filter(payments=payment).first()
    Payment.objects.live().filter(pk=payment.pk, session_id=payment.session_id).update(
        status=PaymentStatus.FAILED, failure_code=code, is_processing=False, updated_at=timezone.now()
    )
    if order is not None:
        recompute(order)
