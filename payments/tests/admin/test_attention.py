from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from courses.tests.counting import statements
from payments.admin import confirming
from payments.models import Dispute, Order, Payment, Refund, WebhookEvent
from payments.services.attention import attention
from payments.tests.admin.people import browser_of_admin, confirm, instructor, operator, paid_order, told
from payments.tests.buying import completed_event, make_order, make_payment, open_checkout
from users.tests.factories import make_user

pytestmark = pytest.mark.django_db


def lost_payment(**overrides) -> Payment:
    """Money whose order is gone."""
    order = make_order()
    lost = {"status": -1, "failure_code": "order_gone", "paid_at": timezone.now(), "stripe_payment_intent": None}
    payment = make_payment(order, **lost | overrides)
    order.delete()
    return payment


def make_refund(payment, **overrides) -> Refund:
    values = {"amount_minor": 100, "currency": "usd", "created_at": timezone.now(), "stripe_id": f"re_{payment.pk}"}
    return Refund.objects.create(payment=payment, **values | overrides)


def make_dispute(number=1, **overrides) -> Dispute:
    values = {
        "payment": make_payment(make_order(), status=2, paid_at=timezone.now()),
        "stripe_id": f"dp_{number}",
        "amount_minor": 4900,
        "currency": "usd",
        "status": "needs_response",
        "created_at": timezone.now(),
    }
    return Dispute.objects.create(**values | overrides)


def make_event(number=1, *, minutes=11, **overrides) -> WebhookEvent:
    values = {"event_id": f"evt_{number}", "type": "refund.created", "object_id": "re_9", "livemode": False}
    event = WebhookEvent.objects.create(**values | overrides)
    WebhookEvent.objects.filter(pk=event.pk).update(received_at=timezone.now() - timedelta(minutes=minutes))
    return event


def page() -> str:
    return told(operator().get(reverse("admin:payments_attention")))


def test_nothing_to_do_is_said_in_words_and_on_the_first_page():
    make_order()
    assert "Nothing needs you" in page()
    first = told(operator().get(reverse("admin:index")))
    assert "Money: needs attention" in first
    assert reverse("admin:payments_attention") in first
    assert reverse("admin:payments_revenue") in first


def test_everything_that_waits_for_a_person_is_on_one_list_and_counted():
    make_order(needs_attention="Paid twice.")
    lost_payment()
    failed = make_refund(make_payment(make_order(needs_attention="Refund failed.")), status="failed")
    make_dispute(answer_due_at=timezone.now())
    make_event(last_error="IntegrityError")
    shown = page()
    for expected in (
        "Paid twice.",
        "paid, but the order is gone",
        reverse("admin:payments_refund_change", args=[failed.pk]),
        "answer it",
        "IntegrityError",
    ):
        assert expected in shown, expected
    assert attention().count() == 6
    first = told(operator().get(reverse("admin:index")))
    assert "> 6 <" in first


def test_what_mends_itself_or_is_mended_is_not_on_the_list():
    make_event(1, minutes=9)
    make_event(2, handled_at=timezone.now())
    make_dispute(1, status="under_review")
    make_dispute(2, status="won")
    lost_payment(seen_to_at=timezone.now())
    make_refund(lost_payment(), status="succeeded", stripe_id="re_back", amount_minor=4900)
    order = make_order()
    make_refund(make_payment(order), status="failed", stripe_id="re_seen")  # the order was marked as seen to
    again = make_payment(make_order(needs_attention=""))
    make_refund(again, status="pending", stripe_id=None)
    assert attention().count() == 0
    Order.objects.filter(pk=order.pk).update(needs_attention="A refund failed.")
    assert attention().refunds.count() == 1
    make_refund(order.payments.get(), status="succeeded", stripe_id="re_later")
    assert attention().refunds.count() == 0


def test_money_for_nobody_waits_until_all_of_it_went_back():
    lost, odd = lost_payment(), lost_payment(failure_code="mismatch")
    for payment in (lost, odd):
        make_refund(payment, status="succeeded", amount_minor=4899)
    assert list(attention().payments) == [lost]
    make_refund(lost, status="succeeded", amount_minor=1, stripe_id="re_rest")
    assert not attention().payments.exists()


def test_a_refund_that_nobody_could_send_for_long_waits_for_a_person():
    make_refund(make_payment(make_order()), stripe_id=None, created_at=timezone.now() - timedelta(minutes=11))
    assert "not sent" in page()


def test_disputes_come_by_the_day_their_answer_is_due():
    now = timezone.now()
    for number, days in enumerate([5, 1, None]):
        make_dispute(number, answer_due_at=days and now + timedelta(days=days))
    assert [dispute.stripe_id for dispute in attention().disputes] == ["dp_1", "dp_0", "dp_2"]


def test_the_list_takes_as_many_statements_for_much_as_for_little():
    client, address = operator(), reverse("admin:payments_attention")

    def add(number):
        make_order(needs_attention="Odd.")
        make_refund(lost_payment(), status="failed", stripe_id=f"re_f{number}")
        make_dispute(number)
        make_event(number)

    add(0)
    client.get(address)
    few = statements(lambda: client.get(address))
    for number in range(1, 4):
        add(number)
    assert statements(lambda: client.get(address)) == few <= 10


@pytest.mark.parametrize("name", ["payment", "refund", "dispute", "webhookevent"])
def test_each_list_takes_as_many_statements_for_many_rows_as_for_few(name):
    client, address = operator(), reverse(f"admin:payments_{name}_changelist")

    def add(number):
        payment = make_dispute(number).payment
        make_refund(payment)
        make_event(number, payment=payment)

    add(0)
    client.get(address)
    few = statements(lambda: client.get(address))
    for number in range(1, 4):
        add(number)
    assert statements(lambda: client.get(address)) == few


def test_more_rows_than_one_request_can_take_are_refused(monkeypatch):
    monkeypatch.setattr(confirming, "ROWS_MAX", 1)
    rows = [make_event(number) for number in range(2)]
    chosen = {"action": "process_again", "_selected_action": [row.pk for row in rows]}
    page = told(confirm(operator(), reverse("admin:payments_webhookevent_changelist"), **chosen))
    assert "At most 1 at once" in page
    assert not WebhookEvent.objects.exclude(attempts=0).exists()


def test_money_that_was_dealt_with_by_hand_leaves_the_list():
    client, payment = operator(), lost_payment()
    seen = reverse("admin:payments_payment_mark_as_seen_to", args=[payment.pk])
    assert "No money moves by this" in told(client.get(seen))
    confirm(client, seen)
    assert attention().count() == 0
    assert "Money for nobody" not in page()
    plain = make_payment(make_order())
    answer = confirm(client, reverse("admin:payments_payment_mark_as_seen_to", args=[plain.pk]))
    assert "this payment needs nobody" in told(answer)


def test_the_first_page_tells_instructors_nothing_of_money():
    assert "Money: needs attention" not in told(browser_of_admin(instructor()).get(reverse("admin:index")))
    assert Client().get(reverse("admin:index")).status_code == 302


def test_whoever_may_see_orders_alone_is_told_nothing_of_the_rest():
    make_dispute()
    watcher = make_user(is_staff=True)
    watcher.user_permissions.add(Permission.objects.get(codename="view_order"))
    client = browser_of_admin(watcher)
    assert client.get(reverse("admin:payments_attention")).status_code == 403
    assert "Money: needs attention" not in told(client.get(reverse("admin:index")))
    assert "to-attention" not in told(client.get(reverse("admin:payments_order_changelist")))


def test_events_are_processed_again_one_by_one_from_the_list_and_from_their_page(sandbox):
    client, checkout = operator(), open_checkout()
    sandbox.stripe.pay(checkout.session_id)
    sent = completed_event(sandbox, checkout.session_id)
    about = {"type": sent["type"], "payload": {}, "livemode": False}
    good = make_event(1, object_id=checkout.session_id, **about)
    strange = make_event(2, object_id="cs_unknown", **about, occurred_at=timezone.now() - timedelta(hours=1))
    chosen = {"action": "process_again", "_selected_action": [good.pk, strange.pk]}
    events = reverse("admin:payments_webhookevent_changelist")

    asked = told(client.post(events, chosen))
    assert checkout.session_id in asked
    assert Order.objects.get().status == "pending"
    page = told(confirm(client, events, **chosen))

    assert Order.objects.get().status == "paid"
    assert f"{good}: handled" in page
    assert f"{strange}: no payment here knows this" in page
    sandbox.fault(service="stripe", path="/v1/checkout/sessions", status=500, times=5)
    again = reverse("admin:payments_webhookevent_process_one_again", args=[good.pk])
    assert "Stripe does not answer at the moment" in told(confirm(client, again))
    good.refresh_from_db()
    assert (good.attempts, bool(good.handled_at)) == (2, True)


def test_a_refund_is_sent_again_only_while_stripe_has_not_got_it(sandbox):
    client = operator()
    _, payment = paid_order(sandbox)
    refund = make_refund(payment, stripe_id=None)
    chosen = {"action": "send_again", "_selected_action": [refund.pk]}
    refunds = reverse("admin:payments_refund_changelist")
    assert "asking twice gives back once" in told(client.post(refunds, chosen))
    assert "Succeeded" in told(confirm(client, refunds, **chosen))
    assert "nothing to send" in told(confirm(client, refunds, **chosen))
    assert len(sandbox.stripe.refunds()) == 1


def test_a_payment_is_synced_from_its_page(sandbox):
    client = operator()
    _, payment = paid_order(sandbox)
    sandbox.stripe.refund(payment.stripe_payment_intent, 100)
    confirm(client, reverse("admin:payments_payment_sync_with_stripe", args=[payment.pk]))
    assert Payment.objects.get().refunded_minor == 100
