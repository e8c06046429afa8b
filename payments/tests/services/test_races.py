"""Real threads against one order, on whichever database the run uses."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from django.db import connection, transaction

from courses.models import Enrollment
from courses.tests.factories import make_course
from mailing.models import OutgoingMail
from payments import stripe
from payments.errors import AlreadyEnrolled, Overtaken, ProviderUnavailable, RefundRefused
from payments.models import (
    Access,
    Dispute,
    FailureCode,
    Order,
    OrderItem,
    OrderStatus,
    Payment,
    PaymentStatus,
    Refund,
    WebhookEvent,
)
from payments.services import sync
from payments.services.checkout import start_checkout
from payments.services.refund_requests import request_refund
from payments.services.refunds import send_refund
from payments.services.sync import apply_reading, sync_checkout, sync_dispute
from payments.tests.buying import bought, browser_of, completed_event, deliver, open_checkout, open_order
from users.tests.factories import make_user

pytestmark = pytest.mark.django_db(transaction=True)
THREADS = 8


def at_once(*calls):
    """Run the calls in threads that start together; gives their results, exceptions among them."""
    barrier = threading.Barrier(len(calls))

    def run(call):
        try:
            barrier.wait(timeout=20)
            return call()
        except Exception as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def wait_until(is_so) -> None:
    deadline = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def is_somebody_waiting() -> bool:
    """Whether another connection waits for a lock; SQLite has one writer, so that all others do."""
    if connection.vendor != "postgresql":
        return True
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_locks WHERE NOT granted AND pid <> pg_backend_pid() LIMIT 1")
        return cursor.fetchone() is not None


def answered(sandbox, path: str) -> int:
    """How often Stripe was asked for this list and has answered."""
    return sum(call["path"].endswith(path) and call["status"] == 200 for call in sandbox.calls("stripe"))


def confirmations(sandbox) -> list[dict]:
    return [mail for mail in sandbox.messages() if mail["subject"] == "Your order at 11Tutors"]


def test_eight_threads_fulfil_one_order_once(sandbox):
    checkout = open_checkout()
    sandbox.stripe.pay(checkout.session_id)
    results = at_once(*[lambda: sync_checkout(checkout.session_id)] * THREADS)
    assert [result for result in results if isinstance(result, Exception)] == []
    assert Enrollment.objects.count() == 1
    assert OutgoingMail.objects.count() == 1
    assert len(confirmations(sandbox)) == 1
    assert Order.objects.get().status == OrderStatus.PAID


def test_webhooks_and_landings_at_once_grant_once(sandbox):
    checkout = open_checkout()
    sandbox.stripe.pay(checkout.session_id)
    event = completed_event(sandbox, checkout.session_id)
    deliveries = [lambda: deliver(event).status_code] * 3 + [lambda: deliver(event | {"id": "evt_2"}).status_code]
    landings = [lambda: sync_checkout(checkout.session_id)] * 4
    results = at_once(*deliveries, *landings)
    assert results[:4] == [200] * 4
    assert [result for result in results if isinstance(result, Exception)] == []
    assert Enrollment.objects.count() == 1
    assert len(confirmations(sandbox)) == 1
    assert WebhookEvent.objects.filter(handled_at=None).count() == 0


def test_two_tabs_get_the_same_page(sandbox):
    user, course = make_user(), make_course()
    results = at_once(*[lambda: start_checkout(user=user, course=course)] * 4)
    assert len({checkout.url for checkout in results}) == 1
    assert len(sandbox.stripe.sessions()) == 1
    assert Payment.objects.count() == 1


def test_a_free_course_clicked_in_many_tabs_is_given_once(sandbox):
    user, course = make_user(), make_course(price_minor=0)
    results = at_once(*[lambda: start_checkout(user=user, course=course)] * THREADS)
    assert sum(isinstance(result, AlreadyEnrolled) for result in results) == THREADS - 1
    assert Order.objects.count() == 1
    assert Enrollment.objects.count() == 1
    assert len(confirmations(sandbox)) == 1


def test_buying_again_and_fulfilling_at_once_neither_lock_up_nor_lose_anything(sandbox):
    user, course = make_user(), make_course()
    checkout = start_checkout(user=user, course=course)
    sandbox.stripe.pay(checkout.session_id)
    buying = [lambda: start_checkout(user=user, course=course)] * 4
    syncing = [lambda: sync_checkout(checkout.session_id)] * 4
    results = at_once(*buying, *syncing)
    assert {type(result).__name__ for result in results[:4]} <= {"AlreadyPaid", "AlreadyEnrolled"}
    assert [result for result in results[4:] if isinstance(result, Exception)] == []
    assert Enrollment.objects.count() == 1


@contextmanager
def held(order: Order):
    """Somebody else holds the order's row."""
    holding, done = threading.Event(), threading.Event()

    def hold():
        try:
            with transaction.atomic():
                Order.objects.select_for_update().get(pk=order.pk)
                holding.set()
                done.wait(20)
        finally:
            connection.close()

    holder = threading.Thread(target=hold)
    holder.start()
    try:
        assert holding.wait(10)
        yield
    finally:
        done.set()
        holder.join()


def test_a_locked_order_is_answered_503_and_done_when_stripe_comes_again(sandbox, monkeypatch):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer and waits for it; there is no row to hold")
    monkeypatch.setattr(sync, "LOCK_TIMEOUT_S", 1)
    user = make_user()
    checkout = open_checkout(user=user)
    sandbox.stripe.pay(checkout.session_id)
    event = completed_event(sandbox, checkout.session_id)
    with held(checkout.order):
        told, landed = at_once(
            lambda: deliver(event),
            lambda: browser_of(user).post(f"/api/payments/orders/{checkout.order.public_id}/sync/"),
        )
    assert (told.status_code, landed.status_code) == (503, 503)
    assert told["Retry-After"]
    assert landed["Retry-After"]
    row = WebhookEvent.objects.get()
    assert (row.handled_at, row.attempts) == (None, 1)
    assert "lock" in row.last_error
    assert deliver(event).status_code == 200
    assert Order.objects.get().status == OrderStatus.PAID


def test_an_answer_that_was_overtaken_while_it_waited_is_asked_for_again(sandbox):
    payment = bought(sandbox)
    dispute = sandbox.stripe.open_dispute(payment.stripe_payment_intent)
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            Order.objects.select_for_update().get(pk=payment.order_id)
            late = pool.submit(lambda: at_once(lambda: sync_dispute(dispute["id"])))
            wait_until(lambda: answered(sandbox, "/v1/disputes") == 1)
            sandbox.stripe.move_dispute(dispute["id"], "won")
            sync_dispute(dispute["id"])
        assert [result for result in late.result() if isinstance(result, Exception)] == []
    assert answered(sandbox, "/v1/disputes") == 3
    assert Dispute.objects.get().status == "won"
    assert Order.objects.get().status == OrderStatus.PAID
    assert Enrollment.objects.active().count() == 1


def test_an_older_answer_is_refused_when_a_newer_one_was_applied(sandbox):
    payment = bought(sandbox)
    dispute = sandbox.stripe.open_dispute(payment.stripe_payment_intent)
    older = stripe.read(payment.session_id)
    sandbox.stripe.move_dispute(dispute["id"], "lost")
    sync_dispute(dispute["id"])
    with pytest.raises(Overtaken):
        apply_reading(older, revision=payment.revision)
    assert Order.objects.get().status == OrderStatus.REFUNDED
    assert Dispute.objects.get().status == "lost"


@pytest.mark.parametrize(("amount_minor", "most"), [(None, 1), (2450, 2), (2000, 2)])
def test_of_many_who_give_money_back_at_once_nobody_gives_too_much(sandbox, amount_minor, most):
    payment = bought(sandbox)
    results = at_once(*[lambda: send_refund(request_refund(payment=payment, amount_minor=amount_minor))] * THREADS)
    refused = [result for result in results if isinstance(result, RefundRefused)]
    assert len(refused) == THREADS - most, results
    assert {error.code for error in refused} <= {"nothing_left", "too_much"}
    assert sum(refund["amount"] for refund in sandbox.stripe.refunds()) == (amount_minor or 4900) * most
    asked = [call for call in sandbox.calls("stripe") if call["method"] == "POST" and call["path"].endswith("/refunds")]
    assert {call["status"] for call in asked} == {200}
    payment.refresh_from_db()
    assert payment.refunded_minor == (amount_minor or 4900) * most


def test_one_refund_sent_by_many_at_once_is_one_refund_at_stripe(sandbox):
    refund = request_refund(payment=bought(sandbox), amount_minor=1000)
    results = at_once(*[lambda: send_refund(refund)] * 4)
    assert {type(result) for result in results} <= {Refund, ProviderUnavailable}
    assert len(sandbox.stripe.refunds()) == 1
    assert send_refund(refund).status == "succeeded"


def test_two_orders_of_one_course_refunded_at_once_leave_no_right(sandbox, settings):
    settings.PAYMENTS_DOUBLE_PAYMENT = "flag"
    user, course = make_user(), make_course()
    payments = [bought(sandbox, course, user=user) for _ in range(2)]
    refunds = [request_refund(payment=payment) for payment in payments]
    results = at_once(*[lambda refund=refund: send_refund(refund) for refund in refunds])
    assert [result.status for result in results] == ["succeeded"] * 2
    assert set(OrderItem.objects.values_list("access", flat=True)) == {Access.REVOKED}
    assert not Enrollment.objects.active().exists()


def test_a_right_handed_over_to_an_order_that_is_refunded_meanwhile_ends(sandbox, settings):
    settings.PAYMENTS_DOUBLE_PAYMENT = "flag"
    user, course = make_user(), make_course()
    first, second = [bought(sandbox, course, user=user) for _ in range(2)]
    for payment in (first, second):
        sandbox.stripe.refund(payment.stripe_payment_intent)
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            sync_checkout(first.session_id)
            late = pool.submit(lambda: at_once(lambda: sync_checkout(second.session_id)))
            wait_until(lambda: late.done() or is_somebody_waiting())
        assert [result for result in late.result() if isinstance(result, Exception)] == []
    assert not Enrollment.objects.active().exists()


def test_a_course_bought_and_refunded_at_once_is_owned_by_the_order_that_was_not_refunded(sandbox, settings):
    settings.PAYMENTS_DOUBLE_PAYMENT = "flag"
    user, course = make_user(), make_course()
    first, second = bought(sandbox, course, user=user), open_order(course, user=user)
    sandbox.stripe.pay(second.session_id)
    refund = request_refund(payment=first)
    results = at_once(lambda: send_refund(refund), lambda: sync_checkout(second.session_id))
    assert [result for result in results if isinstance(result, Exception)] == []
    assert Enrollment.objects.active().get().source_reference == str(second.order.public_id)


def test_both_payments_of_one_order_told_at_once_leave_exactly_one_paid(sandbox):
    user, course = make_user(), make_course()
    first = start_checkout(user=user, course=course)
    Payment.objects.update(status=PaymentStatus.FAILED, failure_code=FailureCode.SUPERSEDED)
    Order.objects.update(status=OrderStatus.EXPIRED)
    sessions = [first.session_id, start_checkout(user=user, course=course).session_id]
    for session_id in sessions:
        sandbox.stripe.pay(session_id)
    results = at_once(*[lambda session_id=session_id: sync_checkout(session_id) for session_id in sessions] * 2)
    assert [result for result in results if isinstance(result, Exception)] == []
    assert [refund["amount"] for refund in sandbox.stripe.refunds()] == [4900]
    assert Order.objects.get().status == OrderStatus.PAID
    assert Enrollment.objects.active().count() == 1


def test_a_crash_in_the_middle_leaves_the_event_to_be_done(sandbox):
    checkout = open_checkout()
    sandbox.stripe.pay(checkout.session_id)
    event = completed_event(sandbox, checkout.session_id)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE mailing_outgoingmail RENAME TO mailing_away")
    try:
        assert deliver(event).status_code in (500, 503)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE mailing_away RENAME TO mailing_outgoingmail")
    row = WebhookEvent.objects.get()
    assert row.handled_at is None
    assert "mailing_outgoingmail" in row.last_error
    assert not Enrollment.objects.exists()
    assert Order.objects.get().status == OrderStatus.PENDING
    assert deliver(event).status_code == 200
    assert Enrollment.objects.count() == 1
