import pytest

from courses.tests.counting import statements
from payments.admin import long_lists
from payments.models import Order, Payment, WebhookEvent
from payments.services.refund_requests import request_refund
from payments.services.refunds import send_refund
from payments.services.sync import sync_checkout
from payments.tests.admin.people import operator
from payments.tests.buying import completed_event, deliver, make_order, make_payment, open_checkout
from users.tests.factories import make_user

pytestmark = pytest.mark.django_db
LISTS = ("order", "payment", "refund", "dispute", "webhookevent")


def bought(sandbox, email: str):
    """An order that was paid, told of, given back in part and disputed."""
    session_id = open_checkout(user=make_user(email=email)).session_id
    sandbox.stripe.pay(session_id)
    deliver(completed_event(sandbox, session_id))
    payment = Payment.objects.get(session_id=session_id)
    send_refund(request_refund(payment=payment, amount_minor=100))
    sandbox.stripe.open_dispute(payment.stripe_payment_intent)
    sync_checkout(session_id)
    return payment.order


def found(client, name: str, query: str) -> list:
    answer = client.get(f"/admin/payments/{name}/{query}")
    assert answer.status_code == 200
    return list(answer.context["cl"].result_list)


def test_every_list_finds_what_belongs_to_an_id_or_an_address(sandbox):
    order, other = bought(sandbox, "ada@example.test"), bought(sandbox, "grace@example.test")
    payment = order.payments.get()
    refund, dispute, event = payment.refunds.get(), payment.disputes.get(), payment.events.get()
    terms = [order.public_id, payment.public_id, refund.public_id, payment.session_id, payment.stripe_payment_intent]
    terms += [payment.charge_id, refund.stripe_id, dispute.stripe_id, event.event_id, "ada@example", "ADA@"]
    client = operator()
    rows = {"order": order, "payment": payment, "refund": refund, "dispute": dispute, "webhookevent": event}
    assert set(rows) == set(LISTS)
    for name, row in rows.items():
        for term in terms:
            assert found(client, name, f"?q={term}") == [row], (name, term)
        assert found(client, name, "?q=cs_nobody") == []
        assert len(found(client, name, "?q=@example.test")) == 2
        assert len(found(client, name, "?q=%20")) == 2
    assert found(client, "order", f"?q={other.public_id}") == [other]


def test_an_event_and_a_payment_without_an_order_are_found_too(sandbox):
    order = bought(sandbox, "ada@example.test")
    payment = order.payments.get()
    lost = WebhookEvent.objects.create(
        event_id="evt_lost", type="refund.created", object_id="re_lost", livemode=False, payment=None
    )
    Order.objects.filter(pk=order.pk).delete()
    client = operator()
    assert found(client, "payment", f"?q={payment.session_id}") == [payment]
    assert found(client, "payment", f"?q={payment.public_id}") == [payment]
    assert found(client, "order", f"?q={payment.session_id}") == []
    for term in ("evt_lost", "re_lost"):
        assert found(client, "webhookevent", f"?q={term}") == [lost]


def test_a_list_counts_no_further_than_its_bound_and_costs_the_same_however_long(sandbox, monkeypatch):
    monkeypatch.setattr(long_lists, "MOST_COUNTED", 3)
    client = operator()

    def cost(name: str) -> int:
        found(client, name, "")
        return statements(lambda: found(client, name, ""))

    make_payment(make_order())
    few = {name: cost(name) for name in ("order", "payment")}
    for _ in range(5):
        make_payment(make_order())
    assert {name: cost(name) for name in few} == few
    assert client.get("/admin/payments/order/").context["cl"].result_count == 3
    assert found(client, "order", "")[0] == Order.objects.latest("pk")


@pytest.mark.parametrize("query", ["?currency=usd", "?currency=eur"])
def test_lists_are_narrowed_by_the_currencies_on_offer(query):
    orders = {"usd": make_order(), "eur": make_order(currency="eur")}
    assert found(operator(), "order", query) == [orders[query[-3:]]]


def test_events_are_narrowed_by_type():
    rows = [
        WebhookEvent.objects.create(event_id=kind, type=kind, object_id="x_1", livemode=False)
        for kind in ("refund.created", "refund.failed")
    ]
    assert found(operator(), "webhookevent", "?type=refund.failed") == rows[1:]
