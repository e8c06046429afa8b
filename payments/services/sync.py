"""Stripe is asked, not believed: webhook, landing page, admin and commands all end in `sync_checkout`.

Refunds and disputes have no way of their own: they lead to the session that was paid, and all that Stripe knows of its
money is read and applied together.
"""

import logging
from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import OperationalError, connection, transaction
from django.db.models import Exists, OuterRef

from payments import stripe
from payments.errors import (
    ForeignSession,
    Overtaken,
    ProviderUnavailable,
    SessionNotFound,
    UnknownSession,
)
from payments.models import SETTLED, Dispute, Order, Payment, Refund
from payments.services.double_payments import give_back_surplus
from payments.services.fulfilment import fulfil
from payments.services.money_back import apply_money_back
from payments.services.money_in import apply_session
from payments.services.recompute import recompute
from payments.stripe import CheckoutSession, Reading

logger = logging.getLogger(__name__)

ROUNDS = 8
LOCK_TIMEOUT_S = 5
Also = Callable[[Payment], None]


def sync_checkout(session_id: str, *, also: Also | None = None, is_about_money_back: bool = False) -> Order | None:
    """Ask Stripe what became of a checkout session and its money, and bring the order in line; None: it is gone.

    No lock is held while Stripe answers. An answer is applied only if nothing else was applied since it was asked for,
    else Stripe is asked again: so no state goes back. `also` runs in the transaction of the work. Refunds and disputes
    are asked about when the charge tells of some, when some are known, or when `is_about_money_back`.

    Raises UnknownSession, ForeignSession, what `stripe.read` raises, and ProviderUnavailable when others kept coming
    first.
    """
    for _ in range(ROUNDS):
        revision, has_refunds, has_disputes = _known(session_id)
        reading = stripe.read(
            session_id,
            with_refunds=is_about_money_back or has_refunds,
            with_disputes=is_about_money_back or has_disputes,
        )
        try:
            return apply_reading(reading, revision=revision, also=also)
        except Overtaken:
            continue
    raise ProviderUnavailable("the payment kept changing", retry_after_s=2)


def sync_refund(refund_id: str, *, also: Also | None = None) -> Order | None:
    """As `sync_checkout`, for the payment that a refund gives back."""
    return sync_intent(stripe.intent_of(refund_id), also=also)


def sync_dispute(dispute_id: str, *, also: Also | None = None) -> Order | None:
    """As `sync_checkout`, for the payment that is disputed."""
    return sync_intent(stripe.intent_of(dispute_id), also=also)


def sync_intent(payment_intent_id: str, *, also: Also | None = None) -> Order | None:
    """As `sync_checkout`, for the session that a payment intent belongs to; raises ForeignSession without one."""
    known = Payment.objects.filter(stripe_payment_intent=payment_intent_id).exclude(session_id=None).first()
    if known is not None:
        return sync_checkout(str(known.session_id), also=also, is_about_money_back=True)
    sessions = stripe.list_sessions(payment_intent_id=payment_intent_id) if payment_intent_id else iter(())
    session = next(sessions, None)
    if session is None:
        raise ForeignSession(payment_intent_id)
    return sync_checkout(session.id, also=also, is_about_money_back=True)


def sync_order(order: Order, *, everything: bool = False) -> Order:
    """Ask Stripe about an order that is not fulfilled yet, or about all its attempts; gives the order as it is then.

    The attempts are asked about until one is paid, newest first, since an older one can be paid late. A session that
    Stripe has forgotten is passed over.
    """
    if everything or order.fulfilled_at is None:
        attempts = order.payments.exclude(session_id=None).order_by("-attempt")
        if not everything:
            attempts = attempts.exclude(status__in=SETTLED)
        for session_id in attempts.values_list("session_id", flat=True):
            try:
                synced = sync_checkout(str(session_id), is_about_money_back=everything)
            except SessionNotFound:
                logger.error("Order %s: Stripe does not know a session of it (another account?)", order.public_id)
                continue
            if synced and synced.fulfilled_at and not everything:
                break
    return Order.objects.with_details().get(pk=order.pk)


def apply_reading(reading: Reading, *, revision: int | None, also: Also | None = None) -> Order | None:
    """Apply what Stripe says about a payment: Order, then Payment are locked, and only forward steps are taken.

    `revision` is the payment's before Stripe was asked, None when the session was not known. Raises Overtaken when
    another answer was applied since, ForeignSession, UnknownSession, and ProviderUnavailable when the rows are held by
    somebody else for too long.
    """
    try:
        with transaction.atomic():
            _limit_waiting()
            return _apply(reading, revision, also)
    except OperationalError as error:
        raise ProviderUnavailable(f"the database gave up: {error}", retry_after_s=LOCK_TIMEOUT_S) from error


def _known(session_id: str) -> tuple[int | None, bool, bool]:
    """The revision of the session's payment, None without one, and whether refunds and disputes of it are known."""
    this = OuterRef("pk")
    columns = ("revision", Exists(Refund.objects.filter(payment=this)), Exists(Dispute.objects.filter(payment=this)))
    return Payment.objects.filter(session_id=session_id).values_list(*columns).first() or (None, False, False)


def _limit_waiting() -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", [f"{LOCK_TIMEOUT_S}s"])


def _apply(reading: Reading, revision: int | None, also: Also | None) -> Order | None:
    order, payment = _lock(reading.session)
    if payment.session_id is not None and payment.revision != revision:
        raise Overtaken
    before, was_settled = _columns(payment), payment.status in SETTLED
    if not was_settled:
        apply_session(payment, reading.session, order)
    has_money_back = apply_money_back(payment, reading, order)
    if has_money_back or _columns(payment) != before:
        payment.revision += 1
        payment.save()
    if order is not None:
        payments = recompute(order)
        fulfil(order, payments)
        if payment.status in SETTLED and (not was_settled or (has_money_back and reading.disputes)):
            give_back_surplus(order, payments)
    if also is not None:
        also(payment)
    return order


def _lock(session: CheckoutSession) -> tuple[Order | None, Payment]:
    """The order, if it is still there, and the payment that a session belongs to, locked in this order.

    The payment is found by the session's id, else it is the one that the session was made for before its id could be
    stored. Raises ForeignSession for another installation's session, UnknownSession for one of ours without a payment.
    """
    orders = Order.objects.select_related("user").select_for_update(of=("self",))
    payments = Payment.objects.select_for_update(of=("self",))
    order = orders.filter(payments__session_id=session.id).first()
    payment = payments.filter(session_id=session.id).first()
    if payment is None:
        unattached = _unattached(session)
        order = orders.filter(payments=unattached).first()
        payment = payments.get(pk=unattached.pk)
    if payment.order_id != (order.pk if order else None):  # attached, or its order deleted, between the two statements
        raise Overtaken
    return order, payment


def _unattached(session: CheckoutSession) -> Payment:
    if session.metadata.get("env") != settings.PAYMENTS_ENV:
        raise ForeignSession(session.id)
    waiting = Payment.objects.filter(
        session_id=None, amount_minor=session.amount_subtotal_minor, currency=session.currency
    )
    try:
        payment = waiting.filter(public_id=session.metadata.get("payment_id", "")).first()
    except ValidationError:
        payment = None
    if payment is None:
        raise UnknownSession(session.id)
    return payment


def _columns(payment: Payment) -> dict[str, object]:
    return {field.attname: getattr(payment, field.attname) for field in Payment._meta.concrete_fields}
