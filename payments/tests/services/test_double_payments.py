"""Paid twice: in two tabs, late, or for what is owned already. Nothing is kept that gives nothing."""

import pytest
from django.db import connection

from courses.models import Enrollment, EnrollmentSource
from courses.tests.factories import enroll_student, make_course
from payments.models import (
    Access,
    Order,
    OrderStatus,
    Payment,
    PaymentStatus,
    Refund,
    RefundOrigin,
    RefundReason,
)
from payments.services.refund_requests import request_refund
from payments.services.refunds import send_refund
from payments.services.sync import sync_checkout
from payments.tests.buying import attempts, bought, open_order, pay, send_what_was_reserved
from users.tests.factories import make_user

pytestmark = pytest.mark.django_db


def test_the_second_payment_of_one_order_goes_back_by_itself(sandbox):
    first, second = attempts(2)
    pay(sandbox, first, second)
    send_what_was_reserved()
    order, refund = Order.objects.get(), Refund.objects.get()
    assert (order.status, order.needs_attention) == (OrderStatus.PAID, "")
    assert (refund.origin, refund.reason, refund.amount_minor) == (
        RefundOrigin.AUTOMATIC,
        RefundReason.DUPLICATE,
        4900,
    )
    assert refund.payment.session_id == second
    assert list(order.payments.values_list("status", flat=True)) == [PaymentStatus.COMPLETED, PaymentStatus.REFUNDED]
    assert Enrollment.objects.active().count() == 1
    for _ in range(2):
        sync_checkout(first)
        sync_checkout(second)
    assert len(sandbox.stripe.refunds()) == 1


def test_late_money_after_a_full_refund_buys_the_course_once_more_and_only_once(sandbox):
    first, second, third = attempts(3)
    pay(sandbox, first)
    send_refund(request_refund(payment=Payment.objects.get(session_id=first)))
    assert not Enrollment.objects.active().exists()
    pay(sandbox, second)
    assert not Refund.objects.unsent().exists()
    assert Enrollment.objects.active().count() == 1
    pay(sandbox, third)
    send_what_was_reserved()
    kept = Payment.objects.filter(status=PaymentStatus.COMPLETED).values_list("session_id", flat=True)
    assert list(kept) == [second]
    assert Order.objects.get().status == OrderStatus.PAID
    assert Enrollment.objects.active().count() == 1


def test_a_course_bought_in_two_orders_is_kept_once_and_the_second_goes_back(sandbox):
    user, course = make_user(), make_course()
    first, second = open_order(course, user=user), open_order(course, user=user)
    pay(sandbox, first.session_id, second.session_id)
    assert second.order.items.get().is_duplicate
    send_what_was_reserved()
    assert Refund.objects.get().payment == second
    assert [Order.objects.get(pk=payment.order_id).status for payment in (first, second)] == ["paid", "refunded"]
    enrollment = Enrollment.objects.active().get()
    assert enrollment.source_reference == str(first.order.public_id)


def test_of_a_cart_only_the_course_owned_already_goes_back(sandbox):
    user, owned, new = make_user(), make_course(price_minor=3000), make_course(price_minor=2000)
    enroll_student(user, owned)
    payment = bought(sandbox, owned, new, user=user)
    send_what_was_reserved()
    assert [refund["amount"] for refund in sandbox.stripe.refunds()] == [3000]
    assert Order.objects.get().status == OrderStatus.PARTIALLY_REFUNDED
    assert list(payment.order.items.order_by("pk").values_list("access", "is_duplicate")) == [
        (Access.REVOKED, True),
        (Access.GRANTED, False),
    ]
    assert Enrollment.objects.active().count() == 2


def test_a_course_given_by_staff_stays_with_them_and_the_money_goes_back(sandbox):
    user, course = make_user(), make_course()
    payment = open_order(course, user=user)
    enroll_student(user, course)
    pay(sandbox, payment.session_id)
    send_what_was_reserved()
    assert Order.objects.get().status == OrderStatus.REFUNDED
    assert Enrollment.objects.active().get().source == EnrollmentSource.STAFF


def test_a_course_owned_already_is_flagged_where_the_setting_says_so(sandbox, settings):
    settings.PAYMENTS_DOUBLE_PAYMENT = "flag"
    user, course = make_user(), make_course()
    enroll_student(user, course)
    bought(sandbox, course, user=user)
    assert Order.objects.get().needs_attention == f"Paid for {course.slug}, which the student owned already."
    assert not Refund.objects.exists()


def test_the_right_passes_to_the_second_order_when_the_first_is_refunded(sandbox, settings):
    settings.PAYMENTS_DOUBLE_PAYMENT = "flag"
    user, course = make_user(), make_course()
    first, second = bought(sandbox, course, user=user), bought(sandbox, course, user=user)
    send_refund(request_refund(payment=first))
    enrollment = Enrollment.objects.get()
    assert (enrollment.is_active, enrollment.source_reference) == (True, str(second.order.public_id))
    send_refund(request_refund(payment=second))
    enrollment.refresh_from_db()
    assert (enrollment.is_active, enrollment.ended_reason) == (False, "refunded")


def test_a_second_payment_in_dispute_is_flagged_since_it_cannot_go_back(sandbox):
    first, second = attempts(2)
    pay(sandbox, first)
    session = sandbox.stripe.pay(second)
    sandbox.stripe.open_dispute(session["payment_intent"])
    sync_checkout(second)
    assert "Paid more than once" in Order.objects.get().needs_attention
    assert not Refund.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_what_was_paid_twice_goes_back_without_anybody_asking(sandbox):
    first, second = attempts(2)
    pay(sandbox, first, second)
    assert connection.in_atomic_block is False
    assert [refund["amount"] for refund in sandbox.stripe.refunds()] == [4900]
    assert Refund.objects.get().status == "succeeded"
