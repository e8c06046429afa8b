"""What payments cost the database, however many orders there are beside the one."""

import pytest
from django.db import connection

from courses.tests.counting import statements
from courses.tests.factories import make_course
from payments.models import OrderStatus, PaymentStatus, WebhookEvent
from payments.services.checkout import start_checkout
from payments.services.sync import sync_checkout, sync_order
from payments.tests.buying import (
    bought,
    completed_event,
    deliver,
    event_about,
    make_order,
    make_payment,
    open_checkout,
    open_order,
)
from users.tests.factories import make_user

pytestmark = pytest.mark.django_db
# The time to wait for locks is set in every transaction that PostgreSQL begins here.
LOCK_TIMEOUT = int(connection.vendor == "postgresql")


@pytest.mark.parametrize("others", [0, 12])
def test_a_payment_told_costs_eighteen_and_told_again_one(sandbox, others):
    student, course = make_user(), make_course()
    for _ in range(others):
        for order in (make_order(user=student, status=OrderStatus.EXPIRED), make_order(course=course)):
            make_payment(order, status=PaymentStatus.FAILED, session_id=f"cs_{order.pk}")
    checkout = open_checkout(user=student, course=course)
    sandbox.stripe.pay(checkout.session_id)
    event = completed_event(sandbox, checkout.session_id)
    assert statements(lambda: deliver(event)) == 18 + LOCK_TIMEOUT
    assert WebhookEvent.objects.get().handled_at
    assert statements(lambda: deliver(event)) == 1


def test_a_refund_told_by_an_event_costs_the_same_for_any_cart(sandbox):
    costs = set()
    for size in (1, 4):
        payment = bought(sandbox, *[make_course() for _ in range(size)])
        refund = sandbox.stripe.refund(payment.stripe_payment_intent, 100)
        event = event_about(sandbox, refund["id"], "refund.created")
        costs.add(statements(lambda event=event: deliver(event)))
    assert costs == {19 + LOCK_TIMEOUT}


def test_a_landing_page_that_waits_costs_eleven_and_once_paid_three(sandbox):
    payment = open_order(make_course())
    order = payment.order
    assert statements(lambda: sync_order(order)) == 11 + LOCK_TIMEOUT
    sandbox.stripe.pay(payment.session_id)
    order = sync_order(order)
    assert statements(lambda: sync_order(order)) == 3


def test_a_sync_that_finds_nothing_new_costs_eight(sandbox):
    payment = bought(sandbox)
    assert statements(lambda: sync_checkout(payment.session_id)) == 8 + LOCK_TIMEOUT


def test_a_click_on_buy_costs_the_same_for_any_number_of_orders(sandbox):
    costs = set()
    for others in (0, 5):
        user = make_user()
        for _ in range(others):
            bought(sandbox, user=user)
        course = make_course()
        costs.add(statements(lambda user=user, course=course: start_checkout(user=user, course=course)))
    assert len(costs) == 1
