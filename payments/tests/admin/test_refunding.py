import re

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse

from courses.models import Enrollment
from courses.tests.factories import make_course
from payments.amounts import decimal_text, read_amount
from payments.models import Access, Order, OrderItem, OrderStatus, Payment, PaymentStatus, Refund, RefundStatus
from payments.services.checkout import start_checkout
from payments.services.outlook import refund_outlook
from payments.services.sync import sync_checkout
from payments.tests.admin.people import operator, paid_order, told
from payments.tests.buying import make_order, make_payment, open_checkout
from users.tests.factories import make_user

pytestmark = pytest.mark.django_db


def form_page(payment) -> str:
    return reverse("admin:payments_payment_give_money_back", args=[payment.pk])


def open_form(client, payment) -> str:
    """Open the form; gives the id that makes it once only."""
    page = client.get(form_page(payment)).content.decode()
    return re.search(r'name="form_id" value="([^"]+)"', page)[1]


def fill(client, payment, **values):
    """What a person sends after opening the form: everything, unless told otherwise."""
    return {"form_id": open_form(client, payment), "what": "everything", "reason": "requested_by_customer", **values}


def give_back(client, payment, sent):
    return client.post(form_page(payment), sent | {"confirmed": "yes"}, follow=True)


def buy_basket(sandbox, *, prices=(3000, 2000)):
    """An order of several courses, paid."""
    order, payment = paid_order(sandbox, course=make_course(price_minor=sum(prices)))
    first = order.items.get()
    OrderItem.objects.filter(pk=first.pk).update(unit_minor=prices[0], net_minor=prices[0])
    for price in prices[1:]:
        course = make_course(title=f"For {price}", price_minor=price)
        OrderItem.objects.create(order=order, course=course, title=course.title, unit_minor=price, net_minor=price)
    Order.objects.filter(pk=order.pk).update(fulfilled_at=None)
    sync_checkout(payment.session_id)
    return Order.objects.get(pk=order.pk), Payment.objects.get(pk=payment.pk)


def test_all_of_it_goes_back_after_a_page_that_says_what_will_happen(sandbox):
    client = operator()
    order, payment = paid_order(sandbox)
    start = client.get(reverse("admin:payments_order_give_money_back", args=[order.pk]), follow=True)
    assert "Everything that is left: $49.00" in told(start)
    sent = fill(client, payment)

    asked = told(client.post(form_page(payment), sent))
    for expected in (
        "gets back <strong>$49.00</strong>",
        "<strong>loses</strong>: Course",
        "$0.00 stays paid",
        "student is told by mail",
    ):
        assert expected in asked, expected
    assert not Refund.objects.exists()

    page = told(give_back(client, payment, sent))
    assert "Refund of $49.00: succeeded" in page
    order.refresh_from_db()
    assert order.status == OrderStatus.REFUNDED
    assert not Enrollment.objects.active().exists()
    assert [refund["amount"] for refund in sandbox.stripe.refunds()] == [4900]
    refund = Refund.objects.get()
    assert refund.requested_by.first_name == "Grace"
    assert "Refund of $49.00: succeeded" in LogEntry.objects.get(object_id=str(order.pk)).change_message


def test_a_form_that_is_sent_twice_gives_back_once(sandbox):
    client = operator()
    _, payment = paid_order(sandbox)
    sent = fill(client, payment, what="amount", amount="10")
    give_back(client, payment, sent)
    again = told(give_back(client, payment, sent | {"amount": "20"}))
    assert "nothing was given back a second time. Refund of $10.00" in again
    assert [refund["amount"] for refund in sandbox.stripe.refunds()] == [1000]
    assert LogEntry.objects.count() == 1
    give_back(client, payment, fill(client, payment, what="amount", amount="5.50"))
    assert sorted(refund["amount"] for refund in sandbox.stripe.refunds()) == [550, 1000]


def test_an_amount_leaves_the_course_and_named_courses_end(sandbox):
    client = operator()
    order, payment = buy_basket(sandbox)
    kept, given_up = order.items.order_by("pk")
    asked = told(client.post(form_page(payment), fill(client, payment, what="amount", amount="1")))
    assert "No course ends." in asked

    sent = fill(client, payment, what="items", items=[given_up.pk])
    asked = told(client.post(form_page(payment), sent))
    for expected in ("<strong>$20.00</strong>", f"<strong>loses</strong>: {given_up.title}", f"keeps: {kept.title}"):
        assert expected in asked, expected
    give_back(client, payment, sent)

    assert [item.access for item in order.items.order_by("pk")] == [Access.GRANTED, Access.REVOKED]
    assert Refund.objects.get().amount_minor == 2000
    assert f'value="{given_up.pk}"' not in client.get(form_page(payment)).content.decode()


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({"what": "amount", "amount": "49.01"}, "at most $49.00"),
        ({"what": "amount", "amount": "0"}, "More than nothing"),
        ({"what": "amount", "amount": "-5"}, "Write the amount as"),
        ({"what": "amount", "amount": "1.999"}, "Write the amount as"),
        ({"what": "amount", "amount": ""}, "Write the amount as"),
        ({"what": "items"}, "Choose the courses"),
        ({"what": "items", "items": ["999999"]}, "Select a valid choice"),
        ({"reason": "greed"}, "Select a valid choice"),
        ({"form_id": "x"}, "This field"),
    ],
)
def test_a_form_that_asks_for_nonsense_gives_nothing_back(sandbox, wrong, complaint):
    client = operator()
    _, payment = paid_order(sandbox)
    for confirmed in ({}, {"confirmed": "yes"}):
        page = told(client.post(form_page(payment), fill(client, payment) | wrong | confirmed))
        assert complaint in page or complaint == "This field"
    assert not Refund.objects.exists()


def test_a_refund_that_stripe_refuses_is_reported_and_noted(sandbox):
    client = operator()
    _, payment = paid_order(sandbox)
    sandbox.stripe.refund(payment.stripe_payment_intent, 4000)
    page = told(give_back(client, payment, fill(client, payment)))
    assert "was not made: Stripe refused" in page
    assert Refund.objects.filter(status=RefundStatus.FAILED).count() == 1


def test_a_refund_that_stripe_did_not_answer_is_kept_for_later(sandbox):
    client = operator()
    _, payment = paid_order(sandbox)
    sandbox.fault(service="stripe", path="/v1/refunds", status=500, times=5)
    page = told(give_back(client, payment, fill(client, payment)))
    assert "is noted and will be sent by itself" in page
    assert Refund.objects.get().stripe_id is None
    assert "Nothing is left to give back" in told(client.get(form_page(payment)))


def test_a_disputed_payment_is_not_refunded(sandbox):
    client = operator()
    _, payment = paid_order(sandbox)
    sandbox.stripe.open_dispute(payment.stripe_payment_intent)
    sync_checkout(payment.session_id, is_about_money_back=True)
    page = told(give_back(client, payment, fill(client, payment)))
    assert "the payment is disputed: the bank decides" in page
    assert sandbox.stripe.refunds() == []


def test_money_whose_order_is_gone_is_given_back_from_its_payment(sandbox):
    client, checkout = operator(), open_checkout()
    checkout.order.delete()
    sandbox.stripe.pay(checkout.session_id)
    sync_checkout(checkout.session_id)
    payment = Payment.objects.get()
    assert payment.failure_code == "order_gone"
    asked = told(client.post(form_page(payment), fill(client, payment)))
    assert "a student whose order is gone gets back <strong>$49.00</strong>" in asked
    assert "Nobody is told by mail." in asked
    page = told(give_back(client, payment, fill(client, payment)))
    assert "Refund of $49.00: succeeded" in page
    assert LogEntry.objects.get().object_id == str(payment.pk)


def test_money_of_a_closed_account_is_given_back(sandbox):
    client, checkout = operator(), open_checkout()
    checkout.order.user.is_active = False
    checkout.order.user.save()
    sandbox.stripe.pay(checkout.session_id)
    sync_checkout(checkout.session_id)
    payment = Payment.objects.get()
    page = told(give_back(client, payment, fill(client, payment)))
    assert "Refund of $49.00: succeeded" in page


def test_the_outlook_tells_what_the_refund_then_does(sandbox):
    """A second order of the same course keeps the course, as does a right from elsewhere."""
    student, course = make_user(), make_course()
    checkouts = [start_checkout(user=student, course=course)]
    sandbox.stripe.pay(checkouts[0].session_id)
    order = sync_checkout(checkouts[0].session_id)
    payment = order.payments.get()
    assert [row.ends for row in refund_outlook(payment, amount_minor=4899)] == [False]
    assert [row.ends for row in refund_outlook(payment, amount_minor=4900)] == [True]
    assert [row.ends for row in refund_outlook(payment, amount_minor=1, named=[order.items.get().pk])] == [True]
    other = make_order(user=student, course=course)
    other.items.update(access=Access.GRANTED)
    assert [row.ends for row in refund_outlook(payment, amount_minor=4900)] == [False]
    other.items.update(access=Access.REVOKED)
    Enrollment.objects.update(source="staff", source_reference="")
    assert [row.ends for row in refund_outlook(payment, amount_minor=4900)] == [False]


def test_an_order_that_was_never_paid_has_nothing_to_give_back():
    client, order = operator(), make_order()
    make_payment(order, status=PaymentStatus.PENDING)
    page = told(client.get(reverse("admin:payments_order_give_money_back", args=[order.pk]), follow=True))
    assert "Nothing was paid for this order" in page


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [("49", "usd", 4900), ("49.5", "eur", 4950), (" 0.29 ", "usd", 29), ("4900", "jpy", 4900), ("49.00", "jpy", 49)],
)
def test_an_amount_is_read_and_written_without_rounding(text, currency, minor):
    assert read_amount(text, currency) == minor
    assert read_amount(decimal_text(minor, currency), currency) == minor


@pytest.mark.parametrize("text", ["", "x", "1,5", "1e3", "NaN", "-1", "1.", "0.001", "٣", "9" * 13])
def test_what_is_no_plain_amount_is_refused(text):
    with pytest.raises(ValueError):
        read_amount(text, "usd")
