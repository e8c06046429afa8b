"""Real threads against one order, on whichever database the run uses."""

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction

from courses.models import Enrollment
from courses.tests.factories import make_course
from mailing.models import OutgoingMail
from payments.errors import AlreadyEnrolled
from payments.models import Order, OrderStatus, Payment, WebhookEvent
from payments.services import sync
from payments.services.checkout import start_checkout
from payments.services.sync import sync_checkout
from payments.tests.buying import completed_event, deliver, open_checkout
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


def test_a_locked_order_is_answered_503_and_done_when_stripe_comes_again(sandbox, monkeypatch):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer and waits for it; there is no row to hold")
    monkeypatch.setattr(sync, "LOCK_TIMEOUT_S", 1)
    checkout = open_checkout()
    sandbox.stripe.pay(checkout.session_id)
    event = completed_event(sandbox, checkout.session_id)
    holding, done = threading.Event(), threading.Event()

    def hold():
        try:
            with transaction.atomic():
                Order.objects.select_for_update().get(pk=checkout.order.pk)
                holding.set()
                done.wait(20)
        finally:
            connection.close()

    holder = threading.Thread(target=hold)
    holder.start()
    holding.wait(10)
    started = time.monotonic()
    answer = deliver(event)
    done.set()
    holder.join()
    assert answer.status_code == 503, json.dumps(answer.json())
    assert time.monotonic() - started < 5
    assert WebhookEvent.objects.get().handled_at is None
    assert deliver(event).status_code == 200
    assert Order.objects.get().status == OrderStatus.PAID


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
