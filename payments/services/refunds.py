"""Sends what `refund_requests` reserved. A refund that was sent and not answered is sent again under the same key."""

import logging
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from payments import stripe
from payments.errors import (
    IdempotencyConflict,
    PaymentsError,
    ProviderMisconfigured,
    ProviderRejected,
    ProviderUnavailable,
    RefundRefused,
)
from payments.models import FailureCode, Order, Refund, RefundStatus
from payments.services.alerts import alert
from payments.services.recompute import flag
from payments.services.sync import sync_intent
from payments.stripe import RefundRequest

logger = logging.getLogger(__name__)

BATCH = 200
RESUMED_AFTER = timedelta(minutes=2)
KEY_LIVES = timedelta(hours=23)
NOTHING_LEFT = "charge_already_refunded"


def send_refund(refund: Refund) -> Refund:
    """Ask Stripe to give the money back, and bring the payment in line; gives the refund as it is then.

    Safe to repeat. When somebody has given all of it back already, the refund is not needed any more and CANCELED.
    Raises RefundRefused when Stripe says no (the refund has FAILED then, and says why), ProviderUnavailable and
    ProviderMisconfigured when it can be sent again.
    """
    refund = Refund.objects.select_related("payment").get(pk=refund.pk)
    rejection = _ask_for(refund) if refund.stripe_id is None and refund.status == RefundStatus.PENDING else None
    sync_intent(str(refund.payment.stripe_payment_intent))
    if rejection is not None and _close_unsent(refund, rejection) and rejection.code != NOTHING_LEFT:
        raise RefundRefused(str(rejection), code=rejection.code or "provider_rejected") from rejection
    refund.refresh_from_db()
    return refund


def resume_refunds(now: datetime | None = None) -> tuple[int, int]:
    """Send the oldest refunds that a crash or an outage left behind; gives how many were sent and how many were not.

    From when Stripe does not answer or refuses the key, nothing more is asked of it in this run. A failure that Stripe
    saved for one refund says nothing about the others: that one can be sent when its idempotency key is forgotten.
    """
    sent, failed = 0, 0
    unsent = Refund.objects.unsent().filter(created_at__lte=(now or timezone.now()) - RESUMED_AFTER)
    for refund in unsent.order_by("created_at", "pk")[:BATCH]:
        try:
            send_refund(refund)
            sent += 1
        except (ProviderUnavailable, ProviderMisconfigured) as error:
            if isinstance(error, ProviderUnavailable) and error.is_replayed:
                logger.error("Refund %s waits behind a failure that Stripe saved: %s", refund.public_id, error)
                failed += 1
                continue
            logger.error("Refund %s and those after it could not be sent: %s", refund.public_id, error)
            return sent, failed + 1
        except PaymentsError as error:
            logger.error("Refund %s could not be sent: %s", refund.public_id, error)
            failed += 1
    return sent, failed


def _ask_for(refund: Refund) -> ProviderRejected | None:
    """Have Stripe make the refund, unless it did so before; gives its refusal."""
    if _is_known_to_stripe(refund):
        return None
    try:
        stripe.create_refund(_request(refund))
    except IdempotencyConflict as error:  # somebody else is sending it at this moment
        raise ProviderUnavailable(str(error), retry_after_s=5) from error
    except ProviderRejected as error:
        return error
    return None


def _is_known_to_stripe(refund: Refund) -> bool:
    """Whether a first try arrived whose answer was lost, so long ago that its idempotency key may be forgotten."""
    if timezone.now() - refund.created_at < KEY_LIVES:
        return False
    intent = str(refund.payment.stripe_payment_intent)
    label = str(refund.public_id)
    return any(state.metadata.get("refund_id") == label for state in stripe.list_refunds(payment_intent_id=intent))


def _request(refund: Refund) -> RefundRequest:
    payment = refund.payment
    # What a mismatched session took is known to Stripe alone: all of it goes back.
    takes_all = payment.failure_code == FailureCode.MISMATCH
    return RefundRequest(
        payment_intent_id=str(payment.stripe_payment_intent),
        amount_minor=None if takes_all else refund.amount_minor,
        reason=refund.reason,
        metadata={
            "refund_id": str(refund.public_id),
            "payment_id": str(payment.public_id),
            "env": settings.PAYMENTS_ENV,
        },
        idempotency_key=f"refund:{refund.public_id}",
    )


@transaction.atomic
def _close_unsent(refund: Refund, rejection: ProviderRejected) -> bool:
    """Stripe will not make this refund; False when the sync has found it there all the same."""
    is_needless = rejection.code == NOTHING_LEFT
    order = Order.objects.select_for_update(of=("self",)).filter(payments=refund.payment_id).first()
    closed = (
        Refund.objects.unsent()
        .filter(pk=refund.pk)
        .update(
            status=RefundStatus.CANCELED if is_needless else RefundStatus.FAILED,
            failure_reason=rejection.code[:64],
            updated_at=timezone.now(),
        )
    )
    if closed and not is_needless:
        alert("Stripe refused refund %s: %s", refund.public_id, rejection)
        if order is not None:
            flag(order, f"A refund was refused ({rejection.code}).")
            order.save(update_fields=["needs_attention"])
    return bool(closed)
