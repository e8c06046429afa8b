from payments import stripe
from payments.errors import NoReceipt, ObjectNotFound
from payments.models import PAID_FOR_NOBODY, SETTLED, Order, Payment, PaymentStatus


def has_receipt(*, status: int, failure_code: str, charge_id: str) -> bool:
    """Whether a payment took money by a charge, for which Stripe shows a receipt."""
    return bool(charge_id) and (status in SETTLED or failure_code in PAID_FOR_NOBODY)


def get_receipt_url(order: Order) -> str:
    """Ask Stripe where the order's receipt is now; of several payments, the one that was kept.

    The address tells who paid, so it is stored nowhere. Raises NoReceipt when nothing was charged or Stripe has no
    receipt, ProviderUnavailable and ProviderMisconfigured.
    """
    payment = _paid(order)
    if payment is None:
        raise NoReceipt(f"order {order.public_id} was not charged")
    try:
        url = stripe.receipt_url(payment.charge_id)
    except ObjectNotFound as error:
        raise NoReceipt(str(error)) from error
    if not url:
        raise NoReceipt(f"Stripe has no receipt of {payment.charge_id}")
    return url


def _paid(order: Order) -> Payment | None:
    charged = [
        payment
        for payment in order.payments.order_by("attempt")
        if has_receipt(status=payment.status, failure_code=payment.failure_code, charge_id=payment.charge_id)
    ]
    kept = [payment for payment in charged if payment.status == PaymentStatus.COMPLETED]
    return next(iter(kept or charged), None)
