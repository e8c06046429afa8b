"""Stripe's promotion codes, where the setting allows them: the discount is noted, the order's price stays."""

import pytest

from courses.models import Enrollment
from courses.tests.factories import make_course
from payments.errors import RefundRefused
from payments.models import Order, OrderStatus, Payment, PaymentStatus
from payments.services.checkout import start_checkout
from payments.services.refund_requests import item_shares, refundable_minor, request_refund
from payments.services.refunds import send_refund
from payments.services.sync import sync_checkout
from payments.stripe.client import client
from payments.tests.buying import deliver_all, open_checkout, open_order
from users.tests.factories import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _promotion_codes(settings):
    settings.PAYMENTS_PROMOTION_CODES = True


def make_code(percent_off: int) -> str:
    coupon = client().v1.coupons.create({"percent_off": percent_off, "duration": "once"})
    code = client().v1.promotion_codes.create({"promotion": {"type": "coupon", "coupon": coupon.id}})
    return code.code


def test_a_session_takes_codes_only_where_the_setting_says_so(sandbox, settings):
    assert sandbox.stripe.session(open_checkout().session_id)["allow_promotion_codes"] is True
    settings.PAYMENTS_PROMOTION_CODES = False
    assert not sandbox.stripe.session(open_checkout().session_id)["allow_promotion_codes"]


def test_a_discount_is_noted_and_the_course_given(sandbox):
    checkout = open_checkout(course=make_course(price_minor=4900))
    sandbox.stripe.apply_promotion_code(checkout.session_id, make_code(10))
    sandbox.stripe.pay(checkout.session_id)
    sync_checkout(checkout.session_id)
    payment, order = Payment.objects.get(), Order.objects.get()
    assert (payment.amount_minor, payment.discount_minor, payment.paid_minor) == (4900, 490, 4410)
    assert (order.status, order.total_minor, order.needs_attention) == (OrderStatus.PAID, 4900, "")
    assert refundable_minor(payment) == 4410
    send_refund(request_refund(payment=payment))
    payment.refresh_from_db()
    assert (payment.status, payment.refunded_minor) == (PaymentStatus.REFUNDED, 4410)
    assert not Enrollment.objects.active().exists()


def test_a_full_discount_gives_the_course_without_a_payment_intent(sandbox):
    checkout = open_checkout()
    sandbox.stripe.apply_promotion_code(checkout.session_id, make_code(100))
    sandbox.stripe.pay(checkout.session_id)
    assert deliver_all(sandbox, "checkout.session.completed") == [200]
    payment = Payment.objects.get()
    assert (payment.status, payment.stripe_payment_intent, payment.paid_minor) == (PaymentStatus.COMPLETED, None, 0)
    assert payment.paid_at
    assert Order.objects.get().status == OrderStatus.PAID
    assert Enrollment.objects.active().count() == 1
    with pytest.raises(RefundRefused) as refused:
        request_refund(payment=payment)
    assert refused.value.code == "not_paid"


def test_two_orders_that_cost_nothing_do_not_get_in_each_others_way(sandbox):
    code = make_code(100)
    for _ in range(2):
        checkout = open_checkout()
        sandbox.stripe.apply_promotion_code(checkout.session_id, code)
        sandbox.stripe.pay(checkout.session_id)
        assert sync_checkout(checkout.session_id).status == OrderStatus.PAID


def test_a_discount_is_shared_by_the_items_of_a_cart(sandbox):
    payment = open_order(make_course(price_minor=3000), make_course(price_minor=1000))
    sandbox.stripe.apply_promotion_code(payment.session_id, make_code(50))
    sandbox.stripe.pay(payment.session_id)
    sync_checkout(payment.session_id)
    payment.refresh_from_db()
    assert list(item_shares(payment).values()) == [1500, 500]
    refund = send_refund(request_refund(payment=payment, items=[payment.order.items.order_by("pk")[0]]))
    assert refund.amount_minor == 1500
    assert Order.objects.get().status == OrderStatus.PARTIALLY_REFUNDED


def test_a_discount_that_was_not_offered_does_not_fit(sandbox, settings):
    settings.PAYMENTS_PROMOTION_CODES = False
    checkout = open_checkout()
    details = {"amount_discount": 490, "amount_shipping": 0, "amount_tax": 0}
    cheaper = {"amount_total": 4410, "total_details": details}
    sandbox.stripe.pay(checkout.session_id)
    session = sandbox.stripe.session(checkout.session_id) | cheaper
    sandbox.context.store.put("stripe.sessions", checkout.session_id, session)
    order = sync_checkout(checkout.session_id)
    assert "total" in order.needs_attention
    assert not Enrollment.objects.exists()


def test_a_page_opened_before_codes_were_allowed_is_gone_on_with(sandbox, settings):
    settings.PAYMENTS_PROMOTION_CODES = False
    user, course = make_user(), make_course()
    first = start_checkout(user=user, course=course)
    settings.PAYMENTS_PROMOTION_CODES = True
    assert start_checkout(user=user, course=course).session_id == first.session_id
