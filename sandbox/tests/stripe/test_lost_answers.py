"""Requests that were carried out although their answer never came, and events that were never heard."""

import pytest
import requests
import stripe

from sandbox.tests.stripe.making import KEY, make_session, session_params


@pytest.fixture
def stubborn(sandbox):
    return stripe.StripeClient(KEY, base_addresses={"api": sandbox.stripe_url}, max_network_retries=1)


@pytest.mark.parametrize("fault", [{"drop": True}, {"status": 500}, {"status": 503}])
def test_an_answer_is_lost_after_the_money_went_back(sandbox, client, fault):
    intent = sandbox.stripe.pay(make_session(client).id)["payment_intent"]
    sandbox.fault(service="stripe", path="/stripe/v1/refunds", after=True, **fault)
    asked = {"payment_intent": intent, "amount": 900}, {"idempotency_key": "r-1"}
    with pytest.raises(stripe.StripeError):
        client.v1.refunds.create(*asked)
    [made] = sandbox.stripe.refunds()
    assert client.v1.refunds.create(*asked).id == made["id"]
    assert len(sandbox.stripe.refunds()) == 1


def test_the_sdk_asks_again_by_itself_when_no_answer_came(sandbox, client, stubborn):
    intent = sandbox.stripe.pay(make_session(client).id)["payment_intent"]
    sandbox.fault(service="stripe", path="/stripe/v1/refunds", after=True, drop=True)
    refund = stubborn.v1.refunds.create({"payment_intent": intent, "amount": 900})
    assert [made["id"] for made in sandbox.stripe.refunds()] == [refund.id]
    assert len([call for call in sandbox.calls("stripe") if call["path"] == "/stripe/v1/refunds"]) == 2


def test_without_a_second_try_the_caller_does_not_know_what_was_done(sandbox, client):
    sandbox.fault(service="stripe", path="/stripe/v1/checkout/sessions", drop=True)
    with pytest.raises(stripe.APIConnectionError):
        client.v1.checkout.sessions.create(session_params(), {"idempotency_key": "c-1"})
    [lost] = sandbox.stripe.sessions()
    assert client.v1.checkout.sessions.create(session_params(), {"idempotency_key": "c-1"}).id == lost["id"]


def test_a_fault_without_after_keeps_the_request_from_the_stand_in(sandbox, client):
    sandbox.fault(service="stripe", path="/stripe/v1/checkout/sessions", status=500)
    with pytest.raises(stripe.APIError):
        make_session(client)
    assert sandbox.stripe.sessions() == []


def test_undelivered_events_are_paged_in_both_directions(sandbox, client, receiver):
    sandbox.fault(service="stripe", webhook={"drop": True}, times=5)
    paid = [sandbox.stripe.pay(make_session(client).id, wait_s=5)["id"] for _ in range(6)]
    assert sandbox.context.deliveries.drain(5)
    wanted = {"types": ["checkout.session.completed", "charge.refunded"], "delivery_success": False, "limit": 2}
    listed = client.v1.events.list(wanted)
    newest = [event.data.object.id for event in listed.auto_paging_iter()]
    assert newest == paid[4::-1]
    assert {event.pending_webhooks for event in listed.data} == {1}
    oldest = sandbox.stripe.events("checkout.session.completed")[0]["id"]
    later = client.v1.events.list(wanted | {"ending_before": oldest})
    assert [event.data.object.id for event in later.auto_paging_iter()] == paid[1:5]
    requests.post(f"{sandbox.stripe_url}/_control/events/{oldest}/resend")
    assert sandbox.context.deliveries.drain(5)
    again = client.v1.events.list(wanted | {"limit": 100}).data
    assert [event.data.object.id for event in again] == paid[4:0:-1]
    assert client.v1.events.retrieve(oldest).pending_webhooks == 0


def test_the_twin_of_an_event_counts_for_itself(sandbox, client, receiver):
    sandbox.fault(service="stripe", webhook={"second_id": True})
    sandbox.stripe.pay(make_session(client).id)
    receiver.wait_for(2)
    assert sandbox.context.deliveries.drain(5)
    both = client.v1.events.list({"type": "checkout.session.completed", "delivery_success": True}).data
    assert len({event.id for event in both}) == 2


def test_what_fails_to_be_accepted_stays_undelivered(sandbox, client, receiver):
    receiver.answers = [500] * 20
    sandbox.stripe.pay(make_session(client).id, wait_s=5)
    listed = client.v1.events.list({"delivery_success": False, "type": "checkout.session.*"})
    assert [event.pending_webhooks for event in listed.data] == [1]
