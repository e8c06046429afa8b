"""What a checkout session changes on its payment; nothing here asks the provider."""

from django.conf import settings

from mailing.services import queue_mail
from payments import configuration
from payments.models import FailureCode, Order, Payment, PaymentStatus
from payments.services.alerts import alert
from payments.services.mails import PAYMENT_FAILED
from payments.services.recompute import flag
from payments.stripe import CheckoutSession, Outcome


def apply_session(payment: Payment, session: CheckoutSession, order: Order | None) -> None:
    """Take the payment, which is not settled yet, forward to what its session says; `order` is None when it is gone.

    A paid session that does not fit its order, or whose account is closed, gives nothing: the payment has failed, knows
    where the money is, and the order is flagged. The caller holds the locks and saves both.
    """
    if order is None:
        _close_without_order(payment, session)
    elif reason := _objection(payment, session, order):
        flag(order, reason)
        if session.outcome is Outcome.PAID:
            _attach(payment, session)
            _fail(payment, FailureCode.MISMATCH)
            _note_where_the_money_is(payment, session)
    elif payment.failure_code != FailureCode.MISMATCH:
        _attach(payment, session)
        _advance(payment, session, order)


def mismatch(session: CheckoutSession, payment: Payment, order: Order) -> str:
    """Why this session must not count for the order; empty when everything agrees."""
    discount_minor = session.discount_minor if session.takes_promotion_codes else 0
    expected = {
        "mode": (session.mode, "payment"),
        "livemode": (session.livemode, configuration.is_live()),
        "currency": (session.currency, payment.currency),
        "amount": (session.amount_subtotal_minor, payment.amount_minor),
        "total": (session.amount_total_minor, payment.amount_minor - discount_minor),
        "order": (session.client_reference_id, str(order.public_id)),
        "order in metadata": (session.metadata.get("order_id"), str(order.public_id)),
        "payment in metadata": (session.metadata.get("payment_id"), str(payment.public_id)),
        "installation": (session.metadata.get("env"), settings.PAYMENTS_ENV),
    }
    differing = [name for name, (theirs, ours) in expected.items() if theirs != ours]
    return f"The session at Stripe has another {', '.join(differing)}." if differing else ""


def _objection(payment: Payment, session: CheckoutSession, order: Order) -> str:
    """Why the session must not count, empty when it may, or when a person has been told already."""
    # A page of its own that ran out took no money, so it may differ; else its payment would stay open for ever.
    has_run_out = session.outcome is Outcome.EXPIRED and payment.session_id == session.id
    if has_run_out or payment.failure_code == FailureCode.MISMATCH:
        return ""
    return mismatch(session, payment, order)


def _attach(payment: Payment, session: CheckoutSession) -> None:
    payment.session_id = session.id
    payment.session_url = session.url
    payment.session_expires_at = session.expires_at
    payment.livemode = session.livemode


def _advance(payment: Payment, session: CheckoutSession, order: Order) -> None:
    if session.outcome is Outcome.PAID and not order.user.is_active:
        if payment.failure_code != FailureCode.USER_GONE:
            flag(order, "Paid, but the account is closed: give the money back.")
        _fail(payment, FailureCode.USER_GONE)
        _note_where_the_money_is(payment, session)
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
    payment.paid_at = session.charged_at or payment.paid_at or session.created_at
    if payment.failure_code != FailureCode.MISMATCH:
        payment.discount_minor = session.discount_minor


def _fail(payment: Payment, code: FailureCode) -> None:
    payment.status = PaymentStatus.FAILED
    payment.failure_code = code
    payment.is_processing = False


def _close_without_order(payment: Payment, session: CheckoutSession) -> None:
    if payment.has_money or session.outcome in (Outcome.OPEN, Outcome.PROCESSING):
        return
    _attach(payment, session)
    is_paid = session.outcome is Outcome.PAID
    _fail(payment, FailureCode.ORDER_GONE if is_paid else FailureCode.EXPIRED)
    if is_paid:
        _note_where_the_money_is(payment, session)
        alert("Payment %s was paid, but its order is gone: give the money back", payment.public_id)
