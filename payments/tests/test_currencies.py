"""Each currency on offer, from the price of a course to the money at Stripe and back."""

import pytest
from django.core.exceptions import ValidationError

from courses.checks import check_currencies
from courses.models import Enrollment
from courses.money import CURRENCIES, MAXIMUM_MINOR, display, validate_currency, validate_price
from courses.tests.factories import make_course
from payments.models import Order, OrderItem, OrderStatus, Payment
from payments.services.refund_requests import item_shares, request_refund
from payments.services.refunds import send_refund
from payments.services.sync import sync_checkout
from payments.tests.buying import browser_of, make_order, make_payment, open_checkout
from sandbox.stripe.money import LARGEST, MINIMUM, ZERO_DECIMAL
from users.tests.factories import make_user

CHECKOUT = "/api/payments/payments/"


@pytest.mark.parametrize("currency", CURRENCIES)
def test_exponent_and_least_charge_are_those_of_stripe(currency):
    known = CURRENCIES[currency]
    assert (known.exponent, known.minimum_minor) == (0 if currency in ZERO_DECIMAL else 2, MINIMUM[currency])
    assert MAXIMUM_MINOR == LARGEST


@pytest.mark.parametrize("currency", CURRENCIES)
def test_a_written_amount_holds_every_unit(currency):
    for amount in (0, 1, 9, 10, 99, 100, 101, 999_999, 1_000_000, MAXIMUM_MINOR):
        written = display(amount, currency)
        assert int("".join(letter for letter in written if letter.isdigit())) == amount
        assert len(written.partition(".")[2]) == CURRENCIES[currency].exponent


@pytest.mark.django_db
@pytest.mark.parametrize("currency", CURRENCIES)
@pytest.mark.parametrize("amount", ["least", "most"])
def test_the_least_and_the_highest_price_can_be_paid_and_given_back_in_parts(sandbox, currency, amount):
    price = CURRENCIES[currency].minimum_minor if amount == "least" else MAXIMUM_MINOR
    validate_price(price, currency)
    checkout = open_checkout(course=make_course(price_minor=price, currency=currency))
    session = sandbox.stripe.session(checkout.session_id)
    assert (session["amount_total"], session["currency"]) == (price, currency)
    sandbox.stripe.pay(checkout.session_id)
    sync_checkout(checkout.session_id)
    payment = Payment.objects.get()
    assert (payment.paid_minor, payment.currency) == (price, currency)
    send_refund(request_refund(payment=payment, amount_minor=1))
    assert Order.objects.get().status == OrderStatus.PARTIALLY_REFUNDED
    send_refund(request_refund(payment=payment))
    payment.refresh_from_db()
    assert (Order.objects.get().status, payment.refunded_minor) == (OrderStatus.REFUNDED, price)
    assert [refund["amount"] for refund in sandbox.stripe.refunds()] == [1, price - 1]
    assert not Enrollment.objects.active().exists()


@pytest.mark.parametrize("currency", CURRENCIES)
def test_a_unit_less_or_more_is_refused_here(currency):
    for price, code in ((CURRENCIES[currency].minimum_minor - 1, "price_too_small"), (10**8, "price_too_large")):
        with pytest.raises(ValidationError) as refused:
            validate_price(price, currency)
        assert [error.code for error in refused.value.error_dict["price_minor"]] == [code]


@pytest.mark.django_db
@pytest.mark.parametrize("currency", CURRENCIES)
@pytest.mark.parametrize("difference", ["a unit too little", "a unit too much"])
def test_and_at_stripe_where_a_price_slipped_past_us_leaves_no_open_order(sandbox, currency, difference):
    price = CURRENCIES[currency].minimum_minor - 1 if difference == "a unit too little" else MAXIMUM_MINOR + 1
    course = make_course(price_minor=price, currency=currency)
    answer = browser_of(make_user()).post(CHECKOUT, {"course_id": course.pk}, format="json")
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (502, "provider_rejected")
    assert Order.objects.get().status == OrderStatus.FAILED


@pytest.mark.parametrize("currency", ["isk", "ugx", "sbd", "bhd", "kwd", "tnd", "mga", "huf", "USD", "", "xxx"])
def test_no_course_is_sold_in_a_currency_whose_units_are_not_known_here(currency, settings):
    with pytest.raises(ValidationError, match=r"Courses are sold in usd, eur, gbp, jpy\."):
        validate_currency(currency)
    settings.COURSE_CURRENCIES = ["eur", currency]
    with pytest.raises(ValidationError, match=r"Courses are sold in eur\."):
        validate_currency(currency)
    assert [problem.id for problem in check_currencies(None)] == ["courses.E001"]


@pytest.mark.django_db
@pytest.mark.parametrize("discount", [0, 1, 1_000, 9_999])
def test_the_shares_of_the_items_are_what_was_paid_and_none_is_dearer_than_its_price(discount):
    order = make_order(course=make_course(price_minor=3_333), total_minor=10_000)
    for price in (3_333, 3_334):
        course = make_course(price_minor=price)
        OrderItem.objects.create(order=order, course=course, title="x", unit_minor=price, net_minor=price)
    payment = make_payment(order, status=2, paid_at=order.created_at, discount_minor=discount)
    shares = item_shares(payment)
    assert sum(shares.values()) == 10_000 - discount
    assert all(0 <= shares[item.pk] <= item.net_minor for item in order.items.all())
