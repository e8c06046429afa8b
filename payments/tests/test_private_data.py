"""Nothing about the person, and no secret, stays in the rows of payments or in the logs, whatever arrives."""

import json
import logging
import sys
import traceback
from contextlib import contextmanager

import pytest
from django.apps import apps
from django.conf import settings as project_settings
from django.core.signals import got_request_exception
from django.utils import timezone
from django.views.debug import SafeExceptionReporterFilter

from courses.models import Enrollment
from courses.tests.factories import make_course
from payments import stripe
from payments.errors import RefundRefused
from payments.models import FailureCode, Order, OrderStatus, Payment, Refund, WebhookEvent
from payments.services.refund_requests import request_refund
from payments.services.refunds import send_refund
from payments.services.session_request import session_request
from payments.services.sync import sync_checkout
from payments.services.webhooks import EVENTS
from payments.tests.buying import SECRET, browser_of, deliver, open_checkout, post, signed
from sandbox.stripe import thin
from users.services.closing import close_account
from users.tests.factories import make_user

pytestmark = pytest.mark.django_db
EMAIL = "ada.lovelace@private.example"
ABOUT_THE_PERSON = {
    "billing_details": {"email": EMAIL, "name": "Ada Lovelace", "phone": "+441815151", "address": {"line1": "Ockham"}},
    "customer_details": {"email": EMAIL, "name": "Ada Lovelace", "phone": "+441815151", "address": {"line1": "Ockham"}},
    "customer_email": EMAIL,
    "receipt_email": EMAIL,
    "receipt_url": "https://pay.stripe.com/receipts/ada-s-own",
}
WORDS = (EMAIL, "ada.lovelace", "Lovelace", "+441815151", "Ockham", "receipts/ada-s-own")
KEYS = (SECRET, project_settings.STRIPE_SECRET_KEY)


@pytest.fixture
def heard(caplog):
    """All that is logged from now on, however little it matters, with its tracebacks."""
    caplog.set_level(logging.DEBUG)
    caplog.clear()
    return lambda: caplog.text + "".join(repr(vars(record)) for record in caplog.records)


@pytest.fixture
def ada():
    return make_user(email=EMAIL, username="ada.lovelace", first_name="Ada", last_name="Lovelace")


def stored() -> str:
    """Every column of every row that payments keep."""
    models = apps.get_app_config("payments").get_models()
    return "\n".join(repr(row) for model in models for row in model._base_manager.values())


def found_in(text: str, words=(*WORDS, *KEYS)) -> list[str]:
    return [word for word in words if word.lower() in text.lower()]


def everything_that_can_happen(sandbox, ada) -> list[dict]:
    """The events of a paid, a refunded and disputed, an expired and two debited checkouts, filled with the person."""

    def checkout() -> str:
        return open_checkout(user=ada, course=make_course()).session_id

    given_back = checkout()
    intent = sandbox.stripe.pay(given_back, email=EMAIL)["payment_intent"]
    refund = sandbox.stripe.refund(intent, 100)
    sandbox.stripe.settle_refund(refund["id"], "failed", reason="lost_or_stolen_card")
    dispute = sandbox.stripe.open_dispute(intent)
    sandbox.stripe.move_dispute(dispute["id"], "under_review")
    sandbox.stripe.move_dispute(dispute["id"], "lost")
    sandbox.stripe.expire(checkout())
    for outcome in ("failed", "succeeded"):
        debited = checkout()
        sandbox.stripe.pay_by_bank_debit(debited, email=EMAIL)
        sandbox.stripe.settle(debited, outcome)
    events = [event for event in sandbox.stripe.events() if event["type"] in EVENTS]
    for event in events:
        event["data"]["object"] |= ABOUT_THE_PERSON
    assert {event["type"] for event in events} == set(EVENTS)
    return events


@pytest.mark.parametrize("form", ["full", "thin"])
def test_no_event_leaves_anything_about_the_person(sandbox, ada, heard, form):
    events = everything_that_can_happen(sandbox, ada)
    for event in events:
        if form == "full":
            expanded = {"charge": {"id": "ch_expanded", "object": "charge"} | ABOUT_THE_PERSON}
            event["data"]["object"] |= expanded if event["type"].startswith("checkout") else {}
        told = event if form == "full" else thin.notification(event)
        assert deliver(told).json()["result"] == "handled", event["type"]
    assert {status for status, _ in Order.objects.values_list("status", "pk")} >= {
        "paid",
        "refunded",
        "expired",
        "failed",
    }
    assert WebhookEvent.objects.filter(handled_at__isnull=False).count() == len(events)
    assert (found_in(stored()), found_in(heard())) == ([], [])


def test_nor_does_the_way_there_or_back(sandbox, ada, heard):
    browser = browser_of(ada)
    bought = browser.post("/api/payments/payments/", {"course_id": make_course().pk}, format="json").json()
    sandbox.stripe.pay(bought["checkout_session_id"], email=EMAIL)
    assert browser.post(f"/api/payments/orders/{bought['order_id']}/sync/").json()["status"] == "paid"
    send_refund(request_refund(payment=Payment.objects.get(), amount_minor=10, requested_by=ada))
    assert Refund.objects.get().stripe_id
    assert (found_in(stored()), found_in(heard())) == ([], [])


def test_a_refused_delivery_is_logged_without_its_content_and_signature(sandbox, ada, heard):
    body = json.dumps({"id": "evt_1", "data": {"object": ABOUT_THE_PERSON}}).encode()
    for header in (signed(body, secret="whsec_wrong"), signed(body, at=1), f"t=1,v1=é{EMAIL}", EMAIL, signed(body)):
        assert post(body, header).status_code == 400
        assert "Refused a webhook delivery" in heard()
        assert found_in(heard(), (*WORDS, *KEYS, header)) == []
    assert not WebhookEvent.objects.exists()


@contextmanager
def reported_failures():
    """What a service that collects failures is told: the whole chain of each exception."""
    reports: list[str] = []

    def report(**kwargs):
        reports.append("".join(traceback.format_exception(sys.exception())))

    got_request_exception.connect(report)
    try:
        yield reports
    finally:
        got_request_exception.disconnect(report)


def test_what_stripe_refuses_is_reported_without_what_was_sent(sandbox, ada, heard):
    type(ada).objects.update(email="ada.lovelace and co@private.example")
    ada.refresh_from_db()
    course = make_course()
    with reported_failures() as reports:
        answer = browser_of(ada).post("/api/payments/payments/", {"course_id": course.pk}, format="json")
    assert answer.status_code == 502
    assert "email_invalid" in reports[0]
    assert found_in("".join(reports)) == []
    assert (found_in(heard()), found_in(stored())) == ([], [])


def test_an_answer_that_cannot_be_read_is_reported_without_its_content(sandbox, ada, heard):
    session_id = open_checkout(user=ada).session_id
    sandbox.stripe.pay(session_id, email=EMAIL)
    event = sandbox.stripe.events("checkout.session.completed")[0]
    sandbox.fault(service="stripe", path="/v1/checkout/sessions/", body=f"<html>{EMAIL}</html>", times=2)
    assert deliver(event).status_code == 503
    assert WebhookEvent.objects.get().last_error
    assert (found_in(stored()), found_in(heard())) == ([], [])


def test_a_failure_that_names_the_person_is_noted_without_them(sandbox, ada):
    session_id = open_checkout(user=ada).session_id
    intent = sandbox.stripe.pay(session_id, email=EMAIL)["payment_intent"]
    sync_checkout(session_id)
    refund = sandbox.stripe.refund(intent, 100)
    odd = {"object": "list", "url": "/v1/refunds", "has_more": False, "data": [refund | {"amount": EMAIL}]}
    sandbox.fault(service="stripe", path="/v1/refunds$", body=json.dumps(odd))
    with reported_failures() as reports:
        assert deliver(sandbox.stripe.events("refund.created")[0]).status_code == 500
    assert EMAIL in reports[0]
    row = WebhookEvent.objects.get()
    assert row.last_error.startswith("ValueError")
    assert found_in(stored()) == []


def test_no_representation_tells_of_the_person_or_a_secret(sandbox, ada, settings):
    session_id = open_checkout(user=ada).session_id
    intent = sandbox.stripe.pay(session_id, email=EMAIL)["payment_intent"]
    sync_checkout(session_id)
    sandbox.stripe.refund(intent, 100)
    sandbox.stripe.open_dispute(intent)
    event = sandbox.stripe.events("checkout.session.completed")[0]
    body = json.dumps(event | {"data": {"object": event["data"]["object"] | ABOUT_THE_PERSON}}).encode()
    payment = Payment.objects.get()
    shown = [
        stripe.read(session_id, with_refunds=True, with_disputes=True),
        stripe.verify_event(body, signed(body)),
        session_request(Order.objects.get(), payment),
        *stripe.list_refunds(payment_intent_id=intent),
        *stripe.list_disputes(payment_intent_id=intent),
        *stripe.list_sessions(payment_intent_id=intent),
        SafeExceptionReporterFilter().get_safe_settings(),
        *[row for model in apps.get_app_config("payments").get_models() for row in model._base_manager.all()],
    ]
    assert len(shown) == 10
    assert found_in("".join(f"{thing!r} {thing}" for thing in shown)) == []


def test_a_closed_account_may_still_be_paid_for_and_the_money_goes_back(sandbox, ada):
    session_id = open_checkout(user=ada).session_id
    close_account(ada)
    sandbox.stripe.pay(session_id)
    sync_checkout(session_id)
    payment = Payment.objects.get()
    assert payment.failure_code == FailureCode.USER_GONE
    assert "give the money back" in Order.objects.get().needs_attention
    assert not Enrollment.objects.exists()
    assert send_refund(request_refund(payment=payment)).status == "succeeded"
    payment.refresh_from_db()
    assert payment.refunded_minor == payment.paid_minor
    with pytest.raises(RefundRefused, match="everything was given back"):
        request_refund(payment=payment)


@pytest.mark.parametrize(("outcome", "status"), [("won", OrderStatus.PAID), ("lost", OrderStatus.REFUNDED)])
def test_a_dispute_goes_on_after_the_account_is_closed(sandbox, ada, outcome, status):
    session_id = open_checkout(user=ada).session_id
    intent = sandbox.stripe.pay(session_id)["payment_intent"]
    sync_checkout(session_id)
    dispute = sandbox.stripe.open_dispute(intent)
    sync_checkout(session_id)
    assert Order.objects.get().status == OrderStatus.DISPUTED
    close_account(ada)
    sandbox.stripe.move_dispute(dispute["id"], outcome)
    sync_checkout(session_id)
    assert Order.objects.get().status == status
    assert Enrollment.objects.active().exists() == (outcome == "won")


def test_a_refund_that_was_asked_for_is_sent_after_the_account_is_closed(sandbox, ada):
    session_id = open_checkout(user=ada).session_id
    sandbox.stripe.pay(session_id)
    sync_checkout(session_id)
    refund = request_refund(payment=Payment.objects.get(), requested_by=ada)
    close_account(ada)
    assert send_refund(refund).status == "succeeded"
    assert Order.objects.get().status == OrderStatus.REFUNDED
    assert not Enrollment.objects.active().exists()
    assert refund.created_at <= timezone.now()
