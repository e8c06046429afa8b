"""Several payments of one order: an item is what the best payment that covers it gives, whatever became of the rest."""

import pytest

from courses.models import Enrollment
from courses.tests.factories import enroll_student, make_course
from mailing.models import OutgoingMail
from payments.errors import RefundRefused
from payments.models import Access, Order, OrderItem, OrderStatus, Payment, PaymentStatus, Refund, RefundReason
from payments.services.mails import ORDER_CONFIRMATION
from payments.services.outlook import refund_outlook
from payments.services.refund_requests import request_refund
from payments.services.refunds import send_refund
from payments.services.sync import sync_checkout, sync_dispute
from payments.stripe.client import client
from payments.tests.buying import attempts, bought, open_order, pay, send_what_was_reserved

pytestmark = pytest.mark.django_db


def payment_of(session_id: str) -> Payment:
    return Payment.objects.get(session_id=session_id)


def take_off(sandbox, session_id: str, percent: int) -> None:
    """Type a promotion code in on the page."""
    coupon = client().v1.coupons.create({"percent_off": percent, "duration": "once"})
    code = client().v1.promotion_codes.create({"promotion": {"type": "coupon", "coupon": coupon.id}})
    sandbox.stripe.apply_promotion_code(session_id, code.code)


def dispute(sandbox, session_id: str, status: str = "needs_response") -> str:
    found = sandbox.stripe.open_dispute(sandbox.stripe.session(session_id)["payment_intent"], status)
    return str(found["id"])


def state() -> tuple[str, str, int]:
    """The order's status, what its only item gives, and how many active enrollments there are."""
    return Order.objects.get().status, OrderItem.objects.get().access, Enrollment.objects.active().count()


def test_late_money_buys_again_what_an_earlier_refund_named(sandbox):
    first, second = attempts(2)
    pay(sandbox, first)
    payment = payment_of(first)
    send_refund(request_refund(payment=payment, items=list(payment.order.items.all())))
    assert state() == (OrderStatus.REFUNDED, Access.REVOKED, 0)
    pay(sandbox, second)
    assert state() == (OrderStatus.PAID, Access.GRANTED, 1)
    (row,) = refund_outlook(payment_of(second), amount_minor=0)
    assert (row.share_minor, row.ends) == (4900, False)
    send_refund(request_refund(payment=payment_of(second), items=[row.item]))
    assert state() == (OrderStatus.REFUNDED, Access.REVOKED, 0)


def test_late_money_for_what_was_bought_again_meanwhile_goes_back(sandbox):
    late, first = attempts(2)
    pay(sandbox, first)
    order = Order.objects.get()
    send_refund(request_refund(payment=payment_of(first)))
    again = bought(sandbox, order.items.get().course, user=order.user)
    pay(sandbox, late)
    send_what_was_reserved()
    assert payment_of(late).status == PaymentStatus.REFUNDED
    assert payment_of(str(again.session_id)).status == PaymentStatus.COMPLETED
    assert Enrollment.objects.active().get().source_reference == str(again.order.public_id)


def test_a_payment_disputed_from_the_start_gives_nothing_twice_once_it_is_won(sandbox):
    course = make_course()
    payment = open_order(course)
    enroll_student(payment.order.user, course)
    sandbox.stripe.pay(payment.session_id)
    dispute_id = dispute(sandbox, payment.session_id)
    sync_checkout(payment.session_id)
    assert state() == (OrderStatus.DISPUTED, Access.SUSPENDED, 1)
    sandbox.stripe.move_dispute(dispute_id, "won")
    sync_dispute(dispute_id)
    assert OrderItem.objects.get().is_duplicate
    assert (Refund.objects.get().amount_minor, Refund.objects.get().reason) == (4900, RefundReason.DUPLICATE)
    with pytest.raises(RefundRefused):  # Stripe gives back nothing that was disputed, be it won
        send_what_was_reserved()
    assert "A refund was refused" in Order.objects.get().needs_attention


def test_a_payment_disputed_from_the_start_is_confirmed_once_it_is_won(sandbox):
    payment = open_order(make_course())
    sandbox.stripe.pay(payment.session_id)
    dispute_id = dispute(sandbox, payment.session_id)
    sync_checkout(payment.session_id)
    assert not OutgoingMail.objects.filter(kind=ORDER_CONFIRMATION).exists()
    sandbox.stripe.move_dispute(dispute_id, "won")
    sync_dispute(dispute_id)
    assert OutgoingMail.objects.filter(kind=ORDER_CONFIRMATION).count() == 1
    assert state() == (OrderStatus.PAID, Access.GRANTED, 1)
    assert not Refund.objects.exists()


def test_a_course_given_by_hand_during_a_dispute_costs_nothing_when_the_dispute_is_won(sandbox):
    payment = bought(sandbox)
    dispute_id = dispute(sandbox, payment.session_id)
    sync_dispute(dispute_id)
    enroll_student(payment.order.user, OrderItem.objects.get().course)
    sandbox.stripe.move_dispute(dispute_id, "won")
    sync_dispute(dispute_id)
    assert state() == (OrderStatus.PAID, Access.GRANTED, 1)
    assert not Refund.objects.exists()


@pytest.mark.parametrize("policy", ["refund", "flag"])
def test_a_dispute_about_the_surplus_takes_nothing_away(sandbox, settings, policy):
    settings.PAYMENTS_DOUBLE_PAYMENT = policy
    first, second = attempts(2)
    pay(sandbox, first)
    sandbox.stripe.pay(second)
    dispute_id = dispute(sandbox, second)
    sync_checkout(second)
    assert state() == (OrderStatus.DISPUTED, Access.GRANTED, 1)
    sandbox.stripe.move_dispute(dispute_id, "lost")
    sync_dispute(dispute_id)
    assert state() == (OrderStatus.PAID, Access.GRANTED, 1)


def test_of_two_payments_the_undisputed_one_is_kept(sandbox):
    first, second = attempts(2)
    pay(sandbox, first)
    dispute_id = dispute(sandbox, first)
    sync_dispute(dispute_id)
    assert state() == (OrderStatus.DISPUTED, Access.SUSPENDED, 0)
    pay(sandbox, second)
    assert state() == (OrderStatus.DISPUTED, Access.GRANTED, 1)
    assert not Refund.objects.exists()
    assert "Paid more than once" in Order.objects.get().needs_attention
    Order.objects.update(needs_attention="")  # nothing can be done before the bank has decided
    sandbox.stripe.move_dispute(dispute_id, "won")
    sync_dispute(dispute_id)
    assert state() == (OrderStatus.PAID, Access.GRANTED, 1)
    assert Refund.objects.get().payment == payment_of(second)


def test_two_payments_in_dispute_hold_nothing_open(sandbox):
    first, second = attempts(2)
    pay(sandbox, first, second)
    for session_id in (first, second):
        sync_dispute(dispute(sandbox, session_id))
    assert state() == (OrderStatus.DISPUTED, Access.SUSPENDED, 0)


def test_what_cost_nothing_by_its_code_stays_when_the_second_payment_goes_back(sandbox, settings):
    settings.PAYMENTS_PROMOTION_CODES = True
    free, full = attempts(2)
    take_off(sandbox, free, 100)
    pay(sandbox, free, full)
    send_what_was_reserved()
    assert payment_of(full).status == PaymentStatus.REFUNDED
    assert state() == (OrderStatus.PAID, Access.GRANTED, 1)


def test_late_money_without_a_code_is_shared_as_it_was_paid(sandbox, settings):
    settings.PAYMENTS_PROMOTION_CODES = True
    settings.PAYMENTS_DOUBLE_PAYMENT = "flag"
    free, full = attempts(2)
    take_off(sandbox, free, 100)
    pay(sandbox, free, full)
    (row,) = refund_outlook(payment_of(full), amount_minor=0)
    assert row.share_minor == 4900
    assert request_refund(payment=payment_of(full), items=[row.item]).amount_minor == 4900


def test_a_refund_names_only_what_its_own_order_holds(sandbox):
    mine, other = bought(sandbox), bought(sandbox)
    with pytest.raises(RefundRefused) as refused:
        request_refund(payment=mine, amount_minor=100, items=list(other.order.items.all()))
    assert refused.value.code == "not_paid"


def test_a_payment_whose_refund_failed_is_not_kept_in_place_of_late_money(sandbox):
    first, second = attempts(2)
    pay(sandbox, first)
    refund = send_refund(request_refund(payment=payment_of(first)))
    sandbox.stripe.settle_refund(refund.stripe_id, "failed")
    sync_checkout(first)
    assert state() == (OrderStatus.PAID, Access.REVOKED, 0)
    pay(sandbox, second)
    assert state() == (OrderStatus.PAID, Access.GRANTED, 1)
    assert not Refund.objects.unsent().exists()
