"""Stripe is asked, not believed: webhook, landing page, admin and expiry all end in `apply_session`."""

import logging

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction

from mailing.services import queue_mail
from payments import configuration, stripe
from payments.errors import ForeignSession, SessionNotFound, UnknownSession
from payments.models import SETTLED, FailureCode, Order, Payment, PaymentStatus
from payments.services.fulfilment import fulfil
from payments.services.mails import PAYMENT_FAILED
from payments.services.recompute import flag, recompute
from payments.stripe import CheckoutSession, Outcome

logger = logging.getLogger(__name__)


def sync_checkout(session_id: str) -> Order | None:
    """Ask Stripe what became of a checkout session and bring the order in line; None when the order is gone.

    No lock is held while Stripe answers: the state only moves forward, so an answer that grew old does no harm. Raises
    UnknownSession, ForeignSession and what `stripe.retrieve_session` raises.
    """
    return apply_session(stripe.retrieve_session(session_id))


def sync_order(order: Order) -> Order:
    """Ask Stripe about an order that is not fulfilled yet; gives the order as it is then.

    The attempts are asked about until one is paid, newest first, since an older one can be paid late. A session that
    Stripe has forgotten is passed over.
    """
    if order.fulfilled_at is None:
        attempts = order.payments.exclude(session_id=None).exclude(status__in=SETTLED).order_by("-attempt")
        for session_id in attempts.values_list("session_id", flat=True):
            try:
                synced = sync_checkout(str(session_id))
            except SessionNotFound:
                logger.error("Order %s: Stripe does not know a session of it (another account?)", order.public_id)
                continue
            if synced and synced.fulfilled_at:
                break
    return Order.objects.with_details().get(pk=order.pk)


@transaction.atomic
def apply_session(session: CheckoutSession) -> Order | None:
    """Apply what Stripe says about a session: Order, then Payment are locked, and only forward steps are taken."""
    found = find_payment(session)
    order = Order.objects.select_for_update(of=("self",)).filter(payments=found).first()
    payment = Payment.objects.select_for_update(of=("self",)).get(pk=found.pk)
    if order is None:
        _close_without_order(payment, session)
        return None
    reason = mismatch(session, payment, order)
    # A page of its own that ran out took no money, so it may differ; else its payment would stay open for ever.
    ran_out = session.outcome is Outcome.EXPIRED and payment.session_id == session.id
    if reason and not ran_out:
        flag(order, reason)
        order.save(update_fields=["needs_attention"])
        return order
    _attach(payment, session)
    _advance(payment, session, order)
    payment.save()
    recompute(order)
    fulfil(order)
    return order


def find_payment(session: CheckoutSession) -> Payment:
    """The payment that a session belongs to: by its id, else the one it was made for before its id could be stored.

    Raises ForeignSession for another installation's session and UnknownSession for one of ours without a payment.
    """
    known = Payment.objects.filter(session_id=session.id).first()
    if known is not None:
        return known
    if session.metadata.get("env") != settings.PAYMENTS_ENV:
        raise ForeignSession(session.id)
    unattached = Payment.objects.filter(
        session_id=None, amount_minor=session.amount_total_minor, currency=session.currency
    )
    try:
        payment = unattached.filter(public_id=session.metadata.get("payment_id", "")).first()
    except ValidationError:
        payment = None
    if payment is None:
        raise UnknownSession(session.id)
    return payment


def mismatch(session: CheckoutSession, payment: Payment, order: Order) -> str:
    """Why this session must not count for the order; empty when everything agrees."""
    expected = {
        "mode": (session.mode, "payment"),
        "livemode": (session.livemode, configuration.is_live()),
        "currency": (session.currency, payment.currency),
        "amount": (session.amount_total_minor, payment.amount_minor),
        "order": (session.client_reference_id, str(order.public_id)),
        "order in metadata": (session.metadata.get("order_id"), str(order.public_id)),
        "payment in metadata": (session.metadata.get("payment_id"), str(payment.public_id)),
        "installation": (session.metadata.get("env"), settings.PAYMENTS_ENV),
    }
    differing = [name for name, (theirs, ours) in expected.items() if theirs != ours]
    return f"The session at Stripe has another {', '.join(differing)}." if differing else ""


def _attach(payment: Payment, session: CheckoutSession) -> None:
    payment.session_id = session.id
    payment.session_url = session.url
    payment.session_expires_at = session.expires_at
    payment.livemode = session.livemode


def _advance(payment: Payment, session: CheckoutSession, order: Order) -> None:
    if payment.status in SETTLED:
        return
    if session.outcome is Outcome.PAID and not order.user.is_active:
        _fail(payment, FailureCode.USER_GONE)
        _note_where_the_money_is(payment, session)
        flag(order, "Paid, but the account is closed: give the money back.")
    elif session.outcome is Outcome.PAID:
        _complete(payment, session)
    elif payment.status != PaymentStatus.PENDING:
        return
    elif session.outcome is Outcome.PROCESSING:
        payment.is_processing = True
        payment.stripe_payment_intent = session.payment_intent_id
    elif session.outcome is Outcome.FAILED:
        _fail(payment, FailureCode.ASYNC_FAILED)
        queue_mail(kind=PAYMENT_FAILED, key=str(payment.public_id), reference={"payment_id": payment.pk})
    elif session.outcome is Outcome.EXPIRED:
        _fail(payment, FailureCode.EXPIRED)


def _complete(payment: Payment, session: CheckoutSession) -> None:
    payment.status = PaymentStatus.COMPLETED
    payment.failure_code = ""
    payment.is_processing = False
    payment.transaction_id = session.id
    _note_where_the_money_is(payment, session)


def _note_where_the_money_is(payment: Payment, session: CheckoutSession) -> None:
    payment.stripe_payment_intent = session.payment_intent_id
    payment.charge_id = session.charge_id


def _fail(payment: Payment, code: FailureCode) -> None:
    payment.status = PaymentStatus.FAILED
    payment.failure_code = code
    payment.is_processing = False


def _close_without_order(payment: Payment, session: CheckoutSession) -> None:
    if payment.status in SETTLED or session.outcome in (Outcome.OPEN, Outcome.PROCESSING):
        return
    _attach(payment, session)
    is_paid = session.outcome is Outcome.PAID
    _fail(payment, FailureCode.ORDER_GONE if is_paid else FailureCode.EXPIRED)
    if is_paid:
        _note_where_the_money_is(payment, session)
        logger.error("Payment %s was paid, but its order is gone: give the money back", payment.public_id)
    payment.save()
