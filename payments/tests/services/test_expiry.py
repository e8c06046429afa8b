from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.utils import timezone

from courses.models import Enrollment
from payments.models import FailureCode, Order, OrderStatus, Payment, PaymentStatus
from payments.services.expiry import expire_orders
from payments.tasks import expire_orders as task
from payments.tests.buying import make_order, make_payment, open_checkout

pytestmark = pytest.mark.django_db


def past_the_end() -> timedelta:
    return timezone.now() + timedelta(minutes=70)


def test_an_open_page_whose_time_is_over_is_closed(sandbox):
    checkout = open_checkout()
    assert str(expire_orders(past_the_end())) == "1 expired, 0 paid, 0 still waiting, 0 could not be asked"
    assert sandbox.stripe.session(checkout.session_id)["status"] == "expired"
    assert Order.objects.get().status == OrderStatus.EXPIRED


def test_a_page_within_its_time_is_left_alone(sandbox):
    open_checkout()
    before = len(sandbox.calls("stripe"))
    assert expire_orders().expired == 0
    assert len(sandbox.calls("stripe")) == before


def test_money_that_came_without_a_webhook_is_found(sandbox):
    checkout = open_checkout()
    sandbox.stripe.pay(checkout.session_id)
    assert expire_orders(past_the_end()).paid == 1
    assert Order.objects.get().status == OrderStatus.PAID
    assert Enrollment.objects.count() == 1


def test_a_bank_debit_is_waited_for(sandbox):
    checkout = open_checkout()
    sandbox.stripe.pay_by_bank_debit(checkout.session_id)
    assert expire_orders(past_the_end()).waiting == 1
    assert expire_orders(past_the_end()).waiting == 0
    assert Order.objects.get().status == OrderStatus.PROCESSING


def test_an_attempt_without_a_session_ends_when_its_session_would(sandbox):
    order = make_order()
    make_payment(order, session_expires_at=timezone.now() + timedelta(hours=1))
    assert expire_orders().expired == 0
    assert expire_orders(past_the_end()).expired == 1
    assert Payment.objects.get().failure_code == FailureCode.EXPIRED
    assert Order.objects.get().status == OrderStatus.EXPIRED
    assert [call["method"] for call in sandbox.calls("stripe")] == ["GET"], "looked for, found nowhere"


def test_an_attempt_whose_session_id_was_lost_is_found_and_closed_or_honoured(sandbox):
    left, paid, other = [open_checkout() for _ in range(3)]
    sandbox.stripe.pay(paid.session_id)
    Payment.objects.exclude(session_id=other.session_id).update(session_id=None)
    counts = expire_orders(past_the_end())
    assert (counts.expired, counts.paid, counts.failed) == (2, 1, 0)
    assert sandbox.stripe.session(left.session_id)["status"] == "expired"
    assert set(Payment.objects.values_list("session_id", flat=True)) == {c.session_id for c in (left, paid, other)}
    assert Order.objects.get(pk=paid.order.pk).status == OrderStatus.PAID
    asked = [(call["method"], call["path"].endswith("/sessions")) for call in sandbox.calls("stripe")]
    assert asked.count(("GET", True)) == 1, "one question for all of them"


def test_an_attempt_that_cannot_be_looked_for_stays_open(sandbox):
    checkout = open_checkout()
    Payment.objects.update(session_id=None)
    sandbox.fault(service="stripe", path="/v1/checkout/sessions", status=500, times=-1)
    assert expire_orders(past_the_end()).failed == 1
    assert Order.objects.get(pk=checkout.order.pk).status == OrderStatus.PENDING


def test_a_page_left_open_on_a_paid_order_is_closed_at_once(sandbox):
    checkout = open_checkout()
    order = checkout.order
    make_payment(order, status=PaymentStatus.COMPLETED, paid_at=timezone.now())
    Order.objects.update(status=OrderStatus.PAID, paid_at=timezone.now(), fulfilled_at=timezone.now())
    assert expire_orders().expired == 1
    assert sandbox.stripe.session(checkout.session_id)["status"] == "expired"
    assert Order.objects.get().status == OrderStatus.PAID


def test_a_page_whose_order_is_gone_is_closed(sandbox):
    checkout = open_checkout()
    checkout.order.delete()
    assert expire_orders().expired == 1
    assert Payment.objects.get().status == PaymentStatus.FAILED
    assert sandbox.stripe.session(checkout.session_id)["status"] == "expired"


def test_a_page_that_stripe_has_forgotten_is_closed(sandbox):
    open_checkout()
    sandbox.context.store.clear()
    assert expire_orders(past_the_end()).expired == 1
    assert Order.objects.get().status == OrderStatus.EXPIRED


def test_a_page_of_an_installation_that_was_renamed_ends_once(sandbox, settings):
    open_checkout()
    settings.PAYMENTS_ENV = "renamed"
    assert expire_orders(past_the_end()).expired == 1
    assert Order.objects.get().status == OrderStatus.EXPIRED
    assert expire_orders(past_the_end()).expired == 0


def test_with_stripe_down_nothing_is_changed_and_stripe_is_not_hammered(sandbox):
    for _ in range(3):
        open_checkout()
    sandbox.fault(service="stripe", path="/v1/checkout/sessions", status=500, times=-1)
    before = len(sandbox.calls("stripe"))
    assert expire_orders(past_the_end()).failed == 3
    assert len(sandbox.calls("stripe")) - before == 2
    assert set(Order.objects.values_list("status", flat=True)) == {OrderStatus.PENDING}


def test_the_command_prints_its_counts_and_the_task_does_the_same_work(sandbox):
    open_checkout()
    Payment.objects.update(session_expires_at=timezone.now() - timedelta(hours=1))
    printed = StringIO()
    call_command("expire_orders", stdout=printed)
    assert printed.getvalue() == "1 expired, 0 paid, 0 still waiting, 0 could not be asked\n"
    open_checkout()
    Payment.objects.live().update(session_expires_at=timezone.now() - timedelta(hours=1))
    task.delay()
    assert not Payment.objects.live().exists()
