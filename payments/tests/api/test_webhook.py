import json
import time

import pytest
from django.test import Client

from courses.models import Enrollment
from mailing.models import OutgoingMail
from payments.errors import ProviderUnavailable
from payments.models import (
    Dispute,
    FailureCode,
    Order,
    OrderStatus,
    Payment,
    PaymentStatus,
    Refund,
    WebhookEvent,
)
from payments.services.webhooks import replay_event
from payments.stripe.client import client
from payments.tests.buying import (
    SECRET,
    WEBHOOK,
    completed_event,
    deliver,
    deliver_all,
    event_about,
    open_checkout,
    post,
    signed,
)
from sandbox.stripe import thin
from users.models import User

pytestmark = pytest.mark.django_db


@pytest.fixture
def paid(sandbox):
    """A checkout that has been paid, and the event that says so."""
    checkout = open_checkout()
    sandbox.stripe.pay(checkout.session_id)
    return checkout, completed_event(sandbox, checkout.session_id)


@pytest.fixture
def foreign_intent(sandbox) -> str:
    """What was paid on the same account through something that is not this project."""
    price = {"currency": "usd", "unit_amount": 4900, "product_data": {"name": "A mug"}}
    page = {
        "mode": "payment",
        "success_url": "https://mugs.example",
        "line_items": [{"quantity": 1, "price_data": price}],
    }
    session = client().v1.checkout.sessions.create(page)
    return sandbox.stripe.pay(session.id)["payment_intent"]


def deliver_thin(sandbox, kind: str) -> list[int]:
    return [deliver(thin.notification(event)).status_code for event in sandbox.stripe.events(kind)]


def assert_untouched() -> None:
    assert not Enrollment.objects.exists()
    assert not WebhookEvent.objects.exists()
    assert Order.objects.get().status == OrderStatus.PENDING


def test_a_completed_checkout_enrolls(paid):
    answer = deliver(paid[1])
    assert (answer.status_code, answer.json()) == (200, {"result": "handled"})
    assert Order.objects.get().status == OrderStatus.PAID
    assert Enrollment.objects.count() == 1
    row = WebhookEvent.objects.get()
    assert (row.event_id, row.attempts, row.last_error) == (paid[1]["id"], 1, "")
    assert row.handled_at
    assert row.api_version


def test_a_delivery_without_a_signature_is_refused(paid):
    assert post(json.dumps(paid[1]).encode()).status_code == 400
    assert_untouched()


@pytest.mark.parametrize(
    "header",
    [
        "",
        "garbage",
        "t=,v1=",
        "t=abc,v1=00",
        "t=1",
        "v1=00",
        "t=99999999999999999999,v1=00",
        "t=1,v1=\xe9\xfc",
        "é=é",
        ",",
    ],
)
def test_a_garbled_signature_is_refused(paid, header):
    assert post(json.dumps(paid[1]).encode(), header).status_code == 400
    assert_untouched()


def test_a_signature_with_letters_outside_ascii_is_refused(paid):
    body = json.dumps(paid[1]).encode()
    answer = post(body, f"t={int(time.time())},v1=\xe9\xe9")
    assert answer.status_code == 400
    assert_untouched()


def test_an_old_signature_scheme_alone_is_refused(paid):
    body = json.dumps(paid[1]).encode()
    assert post(body, signed(body).replace("v1=", "v0=")).status_code == 400
    assert_untouched()


def test_a_stale_signature_is_refused(paid):
    body = json.dumps(paid[1]).encode()
    assert post(body, signed(body, at=int(time.time()) - 400)).status_code == 400
    assert_untouched()


def test_a_signature_of_another_secret_is_refused(paid):
    assert deliver(paid[1], secret="whsec_somebody_else").status_code == 400
    assert_untouched()


def test_a_changed_body_is_refused(paid):
    body = json.dumps(paid[1]).encode()
    assert post(body.replace(b"4900", b"1"), signed(body)).status_code == 400
    assert_untouched()


def test_while_secrets_are_rotated_both_are_accepted(paid, settings):
    settings.STRIPE_WEBHOOK_SECRETS = ["whsec_new", SECRET]
    assert deliver(paid[1]).status_code == 200
    assert deliver(paid[1], secret="whsec_new").json() == {"result": "duplicate"}


def test_a_body_of_a_megabyte_is_refused_unread(paid):
    body = json.dumps(paid[1] | {"padding": "x" * 1024 * 1024}).encode()
    assert post(body, signed(body)).status_code == 413
    assert_untouched()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b"[]",
        b"null",
        b'"text"',
        b"{}",
        b'{"id": "evt_1"}',
        b'{"id": "evt_1", "type": "x", "livemode": false, "created": 1, "data": []}',
        b'{"id": "evt_1", "type": "x", "livemode": false, "created": 1e99, "data": {"object": {"id": "cs"}}}',
        b'{"id": "evt_1", "type": "x", "livemode": false, "created": "now", "data": {"object": {"id": "cs"}}}',
        b'{"id": "evt_1", "type": "x", "livemode": false, "created": 1, "data": {"object": ["id"]}}',
        b"[" * 100_000,
    ],
)
def test_a_signed_body_that_is_no_event_is_refused(settings, body):
    assert post(body, signed(body)).status_code == 400
    assert not WebhookEvent.objects.exists()


def test_a_body_that_is_not_utf_8_is_refused(settings):
    assert post(b"\xff\xfe", "t=1,v1=00").status_code == 400


def test_only_post_is_answered():
    assert Client().get(WEBHOOK).status_code == 405


@pytest.mark.parametrize("secrets", [[], [""], ["  "]])
def test_without_a_secret_there_is_no_door(paid, settings, secrets):
    settings.STRIPE_WEBHOOK_SECRETS = secrets
    body = json.dumps(paid[1]).encode()
    assert post(body, signed(body, secret=(secrets or [""])[0])).status_code == 404
    assert_untouched()


def test_an_unknown_type_is_taken_and_not_kept(paid):
    answer = deliver(paid[1] | {"type": "radar.something.new"})
    assert (answer.status_code, answer.json()) == (200, {"result": "ignored"})
    assert_untouched()


def test_a_live_event_on_a_test_key_is_taken_and_ignored(paid, caplog):
    assert deliver(paid[1] | {"livemode": True}).json() == {"result": "ignored"}
    assert "other mode" in caplog.text
    assert_untouched()


def test_a_session_of_another_installation_is_taken_and_ignored(sandbox, settings):
    settings.PAYMENTS_ENV = "another-school"
    checkout = open_checkout()
    sandbox.stripe.pay(checkout.session_id)
    event = completed_event(sandbox, checkout.session_id)
    settings.PAYMENTS_ENV = "test"
    Payment.objects.update(session_id=None)
    assert deliver(event).json() == {"result": "ignored"}
    assert_untouched()


def test_an_event_that_only_claims_to_be_ours_is_judged_by_what_stripe_says(sandbox, settings):
    settings.PAYMENTS_ENV = "another-school"
    checkout = open_checkout()
    sandbox.stripe.pay(checkout.session_id)
    event = completed_event(sandbox, checkout.session_id)
    event["data"]["object"]["metadata"]["env"] = settings.PAYMENTS_ENV = "test"
    Payment.objects.update(session_id=None)
    assert deliver(event).status_code == 200
    assert WebhookEvent.objects.get().last_error == "a payment of another installation"
    assert not Enrollment.objects.exists()


def test_an_own_session_that_is_not_known_yet_has_to_come_again(sandbox):
    checkout = open_checkout()
    Payment.objects.all().delete()
    sandbox.stripe.pay(checkout.session_id)
    answer = deliver(completed_event(sandbox, checkout.session_id))
    assert answer.status_code == 503
    assert answer["Retry-After"]
    row = WebhookEvent.objects.get()
    assert row.handled_at is None
    assert row.last_error.startswith("UnknownSession")


def test_an_own_session_unknown_for_long_is_given_up_with_an_alert(sandbox, caplog):
    checkout = open_checkout()
    Payment.objects.all().delete()
    sandbox.stripe.pay(checkout.session_id)
    old = completed_event(sandbox, checkout.session_id) | {"created": int(time.time()) - 700}
    assert deliver(old).status_code == 200
    assert WebhookEvent.objects.get().handled_at
    assert "which no payment here knows" in caplog.text


def test_a_session_that_stripe_does_not_know_has_to_come_again_while_young(paid):
    event = paid[1]
    event["data"]["object"]["id"] = "cs_test_made_up"
    assert deliver(event).status_code == 503
    assert deliver(event | {"id": "evt_old", "created": 1}).status_code == 200
    assert not Enrollment.objects.exists()


def test_the_webhook_may_arrive_before_the_session_id_is_stored(paid):
    Payment.objects.update(session_id=None, session_url="")
    assert deliver(paid[1]).status_code == 200
    assert Order.objects.get().status == OrderStatus.PAID


def test_the_same_event_again_does_nothing(paid, sandbox):
    deliver(paid[1])
    before = len(sandbox.calls("stripe"))
    assert deliver(paid[1]).json() == {"result": "duplicate"}
    assert len(sandbox.calls("stripe")) == before
    assert WebhookEvent.objects.get().attempts == 1


def test_a_second_id_for_the_same_thing_grants_once(paid):
    deliver(paid[1])
    assert deliver(paid[1] | {"id": "evt_second"}).json() == {"result": "handled"}
    assert Enrollment.objects.count() == 1
    assert WebhookEvent.objects.count() == 2


def test_an_expiry_told_after_the_payment_changes_nothing(paid):
    deliver(paid[1])
    assert deliver(paid[1] | {"id": "evt_late", "type": "checkout.session.expired"}).status_code == 200
    assert Order.objects.get().status == OrderStatus.PAID


def test_a_forged_payload_cannot_pay_an_open_session(sandbox):
    checkout = open_checkout()
    sandbox.stripe.expire(checkout.session_id)
    event = event_about(sandbox, checkout.session_id, "checkout.session.expired")
    event["type"] = "checkout.session.completed"
    event["data"]["object"] |= {"status": "complete", "payment_status": "paid"}
    assert deliver(event).status_code == 200
    assert Order.objects.get().status == OrderStatus.EXPIRED
    assert not Enrollment.objects.exists()


def test_events_of_a_debit_in_the_wrong_order_end_in_the_truth(sandbox):
    checkout = open_checkout()
    sandbox.stripe.pay_by_bank_debit(checkout.session_id)
    sandbox.stripe.settle(checkout.session_id, "succeeded")
    deliver(event_about(sandbox, checkout.session_id, "checkout.session.async_payment_succeeded"))
    deliver(completed_event(sandbox, checkout.session_id))
    assert Order.objects.get().status == OrderStatus.PAID


def test_stripe_down_asks_for_the_event_again_and_then_it_is_done(paid, sandbox):
    sandbox.fault(service="stripe", path="/v1/checkout/sessions", status=500, times=2)
    assert deliver(paid[1]).status_code == 503
    row = WebhookEvent.objects.get()
    assert row.last_error.startswith("ProviderUnavailable")
    assert deliver(paid[1]).json() == {"result": "handled"}
    row.refresh_from_db()
    assert (row.attempts, row.last_error) == (2, "")


def test_a_closed_account_is_flagged_and_stripe_is_told_that_all_is_well(paid):
    User.objects.update(is_active=False)
    assert deliver(paid[1]).status_code == 200
    assert Payment.objects.get().failure_code == FailureCode.USER_GONE


def test_a_lost_order_is_flagged_and_stripe_is_told_that_all_is_well(paid):
    Order.objects.all().delete()
    assert deliver(paid[1]).status_code == 200
    assert Payment.objects.get().failure_code == FailureCode.ORDER_GONE


def test_nothing_about_the_person_is_kept(paid):
    deliver(paid[1])
    email = User.objects.get().email
    kept = json.dumps(WebhookEvent.objects.get().payload)
    assert email in json.dumps(paid[1])
    assert email not in kept
    assert "customer_details" not in kept
    assert "amount_total" in kept


def test_a_refund_of_another_integration_is_taken_and_nothing_kept_but_the_row(foreign_intent, sandbox):
    sandbox.stripe.refund(foreign_intent)
    found = sandbox.stripe.open_dispute(foreign_intent, "warning_needs_response")
    sandbox.stripe.move_dispute(found["id"], "needs_response")
    kinds = ("refund.created", "charge.refunded", "charge.dispute.created", "charge.dispute.updated")
    assert deliver_all(sandbox, *kinds) == [200] * 4
    assert not Refund.objects.exists()
    assert not Dispute.objects.exists()
    rows = WebhookEvent.objects.all()
    assert {(row.last_error, row.payment, row.attempts) for row in rows} == {
        ("a payment of another installation", None, 1)
    }
    assert all(row.handled_at for row in rows)


def test_a_session_of_another_integration_is_not_even_kept(foreign_intent, sandbox):
    assert deliver(sandbox.stripe.events("checkout.session.completed")[0]).json() == {"result": "ignored"}
    assert not WebhookEvent.objects.exists()


def test_thin_events_of_another_integration_are_taken(foreign_intent, sandbox):
    sandbox.stripe.refund(foreign_intent)
    for kind in ("checkout.session.completed", "refund.created", "charge.refunded"):
        assert deliver_thin(sandbox, kind) == [200]
    assert not Payment.objects.exists()
    assert not Refund.objects.exists()


def test_thin_events_lead_a_debit_to_its_end(sandbox):
    checkout = open_checkout()
    sandbox.stripe.pay_by_bank_debit(checkout.session_id)
    deliver_thin(sandbox, "checkout.session.completed")
    assert Order.objects.get().status == OrderStatus.PROCESSING
    sandbox.stripe.settle(checkout.session_id, "succeeded")
    deliver_thin(sandbox, "checkout.session.async_payment_succeeded")
    assert Order.objects.get().status == OrderStatus.PAID
    row = WebhookEvent.objects.latest("id")
    assert (row.type, row.object_id) == ("checkout.session.async_payment_succeeded", checkout.session_id)
    assert (row.payload, row.payment) == ({}, Payment.objects.get())


@pytest.mark.parametrize(
    ("end", "kind", "status"),
    [("fail", "async_payment_failed", OrderStatus.FAILED), ("expire", "expired", OrderStatus.EXPIRED)],
)
def test_thin_events_close_a_checkout(sandbox, end, kind, status):
    checkout = open_checkout()
    if end == "fail":
        sandbox.stripe.pay_by_bank_debit(checkout.session_id)
        sandbox.stripe.settle(checkout.session_id, "failed")
    else:
        sandbox.stripe.expire(checkout.session_id)
    assert deliver_thin(sandbox, f"checkout.session.{kind}") == [200]
    assert Order.objects.get().status == status


@pytest.mark.parametrize("kind", ["refund.created", "refund.updated", "refund.failed", "charge.refunded"])
def test_each_thin_event_of_a_refund_brings_it_in(paid, sandbox, kind):
    deliver(paid[1])
    refund = sandbox.stripe.refund(Payment.objects.get().stripe_payment_intent, 900)
    sandbox.stripe.settle_refund(refund["id"], "failed")
    assert deliver_thin(sandbox, kind) == [200]
    assert Refund.objects.get().status == "failed"
    assert "Refund" in Order.objects.get().needs_attention


@pytest.mark.parametrize("kind", ["created", "updated", "closed"])
def test_each_thin_event_of_a_dispute_brings_it_in(paid, sandbox, kind):
    deliver(paid[1])
    found = sandbox.stripe.open_dispute(Payment.objects.get().stripe_payment_intent)
    sandbox.stripe.move_dispute(found["id"], "under_review")
    sandbox.stripe.move_dispute(found["id"], "lost")
    assert deliver_thin(sandbox, f"charge.dispute.{kind}") == [200]
    assert Dispute.objects.get().status == "lost"
    assert Order.objects.get().status == OrderStatus.REFUNDED


def test_a_live_thin_event_on_a_test_key_is_ignored(paid, sandbox):
    event = thin.notification(paid[1]) | {"livemode": True}
    assert deliver(event).json() == {"result": "ignored"}
    assert_untouched()


@pytest.mark.parametrize("failed_as", [FailureCode.ASYNC_FAILED, FailureCode.EXPIRED, FailureCode.SUPERSEDED])
def test_a_debit_that_succeeds_after_it_was_given_up_is_honoured(sandbox, failed_as):
    checkout = open_checkout()
    sandbox.stripe.pay_by_bank_debit(checkout.session_id)
    deliver(completed_event(sandbox, checkout.session_id))
    Payment.objects.update(status=-1, failure_code=failed_as, is_processing=False)
    Order.objects.update(status=OrderStatus.FAILED)
    sandbox.stripe.settle(checkout.session_id, "succeeded")
    deliver_all(sandbox, "checkout.session.async_payment_succeeded")
    payment = Payment.objects.get()
    assert (payment.status, payment.failure_code) == (PaymentStatus.COMPLETED, "")
    assert Order.objects.get().status == OrderStatus.PAID
    assert Enrollment.objects.count() == 1


def test_an_event_that_fails_is_kept_with_its_reason_until_it_is_done(paid, sandbox):
    sandbox.fault(service="stripe", path="/v1/checkout/sessions/cs_", missing=["livemode"], times=2)
    assert [deliver(paid[1]).status_code for _ in range(2)] == [500, 500]
    row = WebhookEvent.objects.get()
    assert (row.attempts, row.handled_at, row.last_error) == (2, None, "KeyError: 'livemode'")
    assert not Enrollment.objects.exists()
    assert deliver(paid[1]).status_code == 200
    row.refresh_from_db()
    assert (row.attempts, row.last_error) == (3, "")
    assert row.handled_at
    assert Enrollment.objects.count() == 1


def test_a_failed_event_can_be_done_again_by_hand(paid, sandbox):
    sandbox.fault(service="stripe", path="/v1/checkout/sessions/cs_", status=500, times=4)
    deliver(paid[1])
    row = WebhookEvent.objects.get()
    with pytest.raises(ProviderUnavailable):
        replay_event(row)
    row.refresh_from_db()
    assert (row.attempts, row.handled_at) == (2, None)
    assert row.last_error.startswith("ProviderUnavailable")
    replay_event(row)
    row.refresh_from_db()
    assert (row.attempts, row.last_error, row.payment) == (3, "", Payment.objects.get())
    assert Order.objects.get().status == OrderStatus.PAID


def test_an_event_that_was_done_can_be_done_again_and_changes_nothing(paid, sandbox):
    deliver(paid[1])
    row = WebhookEvent.objects.get()
    before = Payment.objects.get()
    replay_event(row)
    sandbox.fault(service="stripe", path="/v1/checkout/sessions/cs_", status=500, times=2)
    with pytest.raises(ProviderUnavailable):
        replay_event(row)
    row.refresh_from_db()
    assert (row.attempts, row.last_error[:19]) == (3, "ProviderUnavailable")
    assert row.handled_at
    assert Payment.objects.get().revision == before.revision
    assert Enrollment.objects.count() == OutgoingMail.objects.count() == 1
