import time

import pytest
import stripe

from sandbox.tests.stripe.making import DECLINED, line_item, make_session


def test_a_new_session_is_open_and_unpaid_on_an_absolute_address(sandbox, client):
    session = make_session(client)
    assert session.id.startswith("cs_test_")
    assert (session.status, session.payment_status, session.livemode) == ("open", "unpaid", False)
    assert (session.amount_subtotal, session.amount_total, session.currency) == (4900, 4900, "usd")
    assert session.url == f"{sandbox.url}/stripe/c/pay/{session.id}"
    assert session.payment_intent is None
    assert session.metadata["order_id"] == session.client_reference_id == "order-1"
    assert session.expires_at - session.created == 24 * 3600
    assert getattr(session, "line_items", None) is None


def test_a_paid_session_shows_its_intent_and_charge_when_expanded(sandbox, client):
    session = make_session(client)
    sandbox.stripe.pay(session.id)
    paid = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent.latest_charge", "line_items"]})
    assert (paid.status, paid.payment_status, paid.url) == ("complete", "paid", None)
    assert paid.payment_intent.id.startswith("pi_")
    assert (paid.payment_intent.status, paid.payment_intent.amount_received) == ("succeeded", 4900)
    charge = paid.payment_intent.latest_charge
    assert charge.id.startswith("ch_")
    assert (charge.status, charge.paid, charge.payment_method_details.card.last4) == ("succeeded", True, "4242")
    assert charge.metadata["order_id"] == paid.payment_intent.metadata["order_id"] == "order-1"
    assert paid.line_items.data[0].price.unit_amount == 4900
    assert paid.customer_details.email == "buyer@example.test"


def test_session_metadata_is_not_copied_to_the_intent(sandbox, client):
    session = make_session(client, payment_intent_data=None)
    intent = sandbox.stripe.pay(session.id)["payment_intent"]
    assert client.v1.payment_intents.retrieve(intent).metadata.to_dict() == {}


def test_without_expansion_an_object_is_named_by_its_id(sandbox, client):
    session = make_session(client)
    sandbox.stripe.pay(session.id)
    intent = client.v1.payment_intents.retrieve(client.v1.checkout.sessions.retrieve(session.id).payment_intent)
    assert client.v1.charges.retrieve(intent.latest_charge).payment_intent == intent.id


def test_charges_and_sessions_are_found_by_their_intent(sandbox, client):
    session, other = make_session(client), make_session(client)
    intent = sandbox.stripe.pay(session.id)["payment_intent"]
    sandbox.stripe.pay(other.id)
    assert [charge.payment_intent for charge in client.v1.charges.list({"payment_intent": intent}).data] == [intent]
    assert [found.id for found in client.v1.checkout.sessions.list({"payment_intent": intent}).data] == [session.id]
    assert len(client.v1.payment_intents.list().data) == 2


def test_sessions_are_listed_by_status_and_time(sandbox, client):
    paid, unpaid = make_session(client), make_session(client)
    sandbox.stripe.pay(paid.id)
    sessions = client.v1.checkout.sessions
    assert [found.id for found in sessions.list({"status": "complete"}).data] == [paid.id]
    assert [found.id for found in sessions.list({"status": "open"}).data] == [unpaid.id]
    assert sessions.list({"created": {"gte": int(time.time()) + 60}}).data == []
    assert len(sessions.list({"created": {"gte": paid.created, "lte": unpaid.created}}).data) == 2
    assert len(sessions.list({"customer_details": {"email": "buyer@example.test"}}).data) == 2


def test_lists_are_paged_newest_first_in_both_directions(client):
    made = [make_session(client).id for _ in range(5)]
    first = client.v1.checkout.sessions.list({"limit": 2})
    assert ([found.id for found in first.data], first.has_more) == (made[:2:-1], True)
    assert [found.id for found in first.auto_paging_iter()] == made[::-1]
    before = client.v1.checkout.sessions.list({"limit": 2, "ending_before": made[0]})
    assert ([found.id for found in before.data], before.has_more) == ([made[2], made[1]], True)
    oldest_first = client.v1.checkout.sessions.list({"limit": 2, "ending_before": made[0]}).auto_paging_iter()
    assert [found.id for found in oldest_first] == made[1:]


@pytest.mark.parametrize("params", [{"limit": 0}, {"limit": 101}, {"starting_after": "cs_test_none"}])
def test_impossible_pages_are_refused(client, params):
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.checkout.sessions.list(params)


def test_line_items_have_a_list_of_their_own(client):
    second = line_item(unit_amount=1000, product_data={"name": "Algebra"})
    session = make_session(client, line_items=[line_item(), second])
    items = client.v1.checkout.sessions.line_items.list(session.id)
    assert [(item.description, item.amount_total) for item in items.data] == [
        ("Introduction to Proofs", 4900),
        ("Algebra", 1000),
    ]
    assert session.amount_total == 5900


@pytest.mark.parametrize("path", ["nonsense", "line_items.data.nonsense", "status", "metadata.order_id", "a.b.c.d.e"])
def test_what_can_not_be_expanded_is_refused(client, path):
    session = make_session(client)
    with pytest.raises(stripe.InvalidRequestError) as caught:
        client.v1.checkout.sessions.retrieve(session.id, {"expand": [path]})
    assert caught.value.param == "expand"


def test_an_open_session_can_be_expired_once(client):
    session = make_session(client)
    expired = client.v1.checkout.sessions.expire(session.id)
    assert (expired.status, expired.url) == ("expired", None)
    with pytest.raises(stripe.InvalidRequestError, match='status in \\["open"\\] can be expired'):
        client.v1.checkout.sessions.expire(session.id)


def test_a_complete_session_can_not_be_expired(sandbox, client):
    session = make_session(client)
    sandbox.stripe.pay(session.id)
    with pytest.raises(stripe.InvalidRequestError) as caught:
        client.v1.checkout.sessions.expire(session.id)
    assert caught.value.http_status == 400
    assert client.v1.checkout.sessions.retrieve(session.id).payment_status == "paid"


def test_a_session_expires_by_itself_when_its_time_is_up(sandbox, client, receiver):
    session = make_session(client, expires_at=int(time.time()) + 31 * 60)
    sandbox.stripe.settings.advance(32 * 60)
    receiver.wait_for(1)
    assert receiver.types() == ["checkout.session.expired"]
    assert client.v1.checkout.sessions.retrieve(session.id).status == "expired"


def test_expiring_a_session_with_a_declined_card_cancels_its_intent(sandbox, client):
    session = make_session(client)
    with pytest.raises(Exception, match=r"Your card was declined\."):
        sandbox.stripe.pay(session.id, DECLINED)
    client.v1.checkout.sessions.expire(session.id)
    intent = client.v1.checkout.sessions.retrieve(session.id).payment_intent
    assert client.v1.payment_intents.retrieve(intent).status == "canceled"


def test_a_free_session_completes_without_an_intent_but_with_a_customer(sandbox, client):
    session = make_session(client, line_items=[line_item(unit_amount=0)])
    sandbox.stripe.pay(session.id)
    done = client.v1.checkout.sessions.retrieve(session.id)
    assert (done.status, done.payment_status, done.amount_total) == ("complete", "no_payment_required", 0)
    assert done.payment_intent is None
    assert client.v1.customers.retrieve(done.customer).email == "buyer@example.test"
    assert client.v1.charges.list().data == []


def test_a_paid_session_is_not_paid_twice(sandbox, client):
    session = make_session(client)
    sandbox.stripe.pay(session.id)
    with pytest.raises(Exception, match="not open"):
        sandbox.stripe.pay(session.id)
    assert len(client.v1.charges.list().data) == 1


@pytest.mark.parametrize(("outcome", "payment_status"), [("succeeded", "paid"), ("failed", "unpaid")])
def test_a_bank_debit_completes_unpaid_and_is_settled_later(sandbox, client, outcome, payment_status):
    session = make_session(client)
    sandbox.stripe.pay_by_bank_debit(session.id)
    waiting = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent"]})
    assert (waiting.status, waiting.payment_status) == ("complete", "unpaid")
    assert waiting.payment_intent.status == "processing"
    sandbox.stripe.settle(session.id, outcome)
    settled = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent.latest_charge"]})
    assert (settled.status, settled.payment_status) == ("complete", payment_status)
    assert settled.payment_intent.latest_charge.status == outcome
    with pytest.raises(Exception, match="does not wait for a bank"):
        sandbox.stripe.settle(session.id, outcome)
