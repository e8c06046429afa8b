"""What a delivery costs the database: the same however many orders, refunds and events there are."""

import pytest

from courses.tests.counting import statements
from courses.tests.factories import make_course
from payments.models import OrderStatus, Payment, PaymentStatus
from payments.services.sync import sync_checkout
from payments.tests.buying import completed_event, deliver, event_about, make_order, make_payment, open_checkout
from users.tests.factories import make_user

pytestmark = [pytest.mark.django_db, pytest.mark.parametrize("size", [0, 12])]


def bought_before(size: int):
    """A student with that many orders, and as many other students of one course."""
    student, course = make_user(), make_course()
    for _ in range(size):
        for person, bought in ((student, make_course()), (make_user(), course)):
            order = make_order(user=person, course=bought, status=OrderStatus.EXPIRED)
            make_payment(order, status=PaymentStatus.FAILED, failure_code="expired", session_id=f"cs_{order.pk}")
    return student, course


def test_a_paid_delivery_costs_at_most_twenty_and_its_repetition_one(sandbox, size):
    student, course = bought_before(size)
    session_id = open_checkout(user=student, course=course).session_id
    sandbox.stripe.pay(session_id)
    event = completed_event(sandbox, session_id)
    assert statements(lambda: deliver(event)) <= 20
    assert statements(lambda: deliver(event)) == 1
    assert statements(lambda: deliver(event | {"id": "evt_another"})) <= 13
    assert Payment.objects.get(session_id=session_id).status == PaymentStatus.COMPLETED


def test_a_refund_told_costs_at_most_as_much(sandbox, size):
    student, course = bought_before(size)
    session_id = open_checkout(user=student, course=course).session_id
    intent = sandbox.stripe.pay(session_id)["payment_intent"]
    sync_checkout(session_id)
    refund = sandbox.stripe.refund(intent, 100)
    assert statements(lambda: deliver(event_about(sandbox, refund["id"], "refund.created"))) <= 23
    assert Payment.objects.get(session_id=session_id).refunded_minor == 100
