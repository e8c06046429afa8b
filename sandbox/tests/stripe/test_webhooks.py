import json
import time

import pytest
import requests
import stripe

from sandbox.tests.stripe.making import DECLINED, SECRET, make_session


def fault(sandbox, **webhook):
    sandbox.fault(service="stripe", webhook=webhook, times=1)


def test_a_payment_tells_the_endpoint_and_the_sdk_accepts_the_signature(sandbox, client, receiver):
    session = make_session(client)
    sandbox.stripe.pay(session.id)
    delivery = receiver.wait_for(1)[0]
    event = client.construct_event(delivery["body"], delivery["signature"], SECRET)
    assert (event.type, event.livemode) == ("checkout.session.completed", False)
    assert (event.data.object.id, event.data.object.payment_status) == (session.id, "paid")
    assert event.api_version == stripe.api_version
    assert event.data.object.payment_intent.startswith("pi_")


def test_only_what_the_endpoint_subscribes_to_is_sent(sandbox, client, receiver):
    sandbox.stripe.settings.change(enabled_events=["*"])
    sandbox.stripe.pay(make_session(client).id)
    receiver.wait_for(4)
    assert sorted(receiver.types()) == [
        "charge.succeeded",
        "checkout.session.completed",
        "payment_intent.created",
        "payment_intent.succeeded",
    ]


def test_a_decline_makes_events_but_none_that_the_endpoint_hears_by_default(sandbox, client, receiver):
    with pytest.raises(Exception, match="declined"):
        sandbox.stripe.pay(make_session(client).id, DECLINED)
    kinds = [event.type for event in client.v1.events.list().data]
    assert kinds == ["payment_intent.payment_failed", "charge.failed", "payment_intent.created"]
    assert sandbox.context.deliveries.drain(2)
    assert receiver.deliveries == []


@pytest.mark.parametrize("outcome", ["succeeded", "failed"])
def test_a_bank_debit_is_told_twice(sandbox, client, receiver, outcome):
    session = make_session(client)
    sandbox.stripe.pay_by_bank_debit(session.id, wait_s=5)
    sandbox.stripe.settle(session.id, outcome)
    receiver.wait_for(2)
    assert receiver.types() == ["checkout.session.completed", f"checkout.session.async_payment_{outcome}"]
    assert receiver.events()[0]["data"]["object"]["payment_status"] == "unpaid"


@pytest.mark.parametrize("failure", [500, 404, 301])
def test_a_refused_delivery_comes_again_with_a_fresh_signature(sandbox, client, receiver, failure):
    receiver.answers = [failure, failure]
    sandbox.stripe.pay(make_session(client).id)
    deliveries = receiver.wait_for(3)
    assert len({json.loads(delivery["body"])["id"] for delivery in deliveries}) == 1
    times = [int(delivery["signature"].split(",")[0][2:]) for delivery in deliveries]
    assert times[0] < times[2]
    for delivery in deliveries:
        assert client.construct_event(delivery["body"], delivery["signature"], SECRET)


def test_events_tell_whether_they_were_delivered(sandbox, client, receiver):
    fault(sandbox, drop=True)
    lost, heard = make_session(client), make_session(client)
    sandbox.stripe.pay(lost.id)
    sandbox.stripe.pay(heard.id, wait_s=5)
    assert sandbox.context.deliveries.drain(5)
    kinds = {"types": ["checkout.session.completed"]}
    undelivered = client.v1.events.list({**kinds, "delivery_success": False}).data
    assert [event.data.object.id for event in undelivered] == [lost.id]
    delivered = client.v1.events.list({**kinds, "delivery_success": True}).data
    assert [event.data.object.id for event in delivered] == [heard.id]


def test_events_are_listed_by_type_and_time(sandbox, client):
    sandbox.stripe.pay(make_session(client).id)
    listed = client.v1.events.list
    assert len(listed({"type": "payment_intent.*"}).data) == 2
    assert len(listed({"types": ["charge.succeeded", "checkout.session.completed"]}).data) == 2
    assert listed({"created": {"gte": int(time.time()) + 60}}).data == []
    event = listed({"type": "charge.succeeded"}).data[0]
    assert client.v1.events.retrieve(event.id).data.object.object == "charge"
    for wrong in ({"types": ["charge.succeeded"] * 21}, {"type": "a", "types": ["b"]}):
        with pytest.raises(stripe.InvalidRequestError):
            listed(wrong)


def test_an_event_keeps_the_object_as_it_was(sandbox, client):
    session = make_session(client)
    sandbox.stripe.pay_by_bank_debit(session.id)
    sandbox.stripe.settle(session.id, "succeeded")
    event = client.v1.events.list({"type": "checkout.session.completed"}).data[0]
    assert event.data.object.payment_status == "unpaid"


def test_fault_duplicate_sends_one_event_twice(sandbox, client, receiver):
    fault(sandbox, duplicate=2)
    sandbox.stripe.pay(make_session(client).id)
    receiver.wait_for(2)
    assert len({event["id"] for event in receiver.events()}) == 1


def test_fault_second_id_sends_one_thing_under_two_ids(sandbox, client, receiver):
    fault(sandbox, second_id=True)
    sandbox.stripe.pay(make_session(client).id)
    receiver.wait_for(2)
    first, second = receiver.events()
    assert first["id"] != second["id"]
    assert first["data"] == second["data"]
    assert {first["id"], second["id"]} <= {event.id for event in client.v1.events.list().data}


def test_fault_reorder_sends_an_event_after_the_one_that_follows(sandbox, client, receiver):
    fault(sandbox, reorder=True)
    late, early = make_session(client), make_session(client)
    sandbox.stripe.pay(late.id)
    sandbox.stripe.pay(early.id, wait_s=5)
    receiver.wait_for(2)
    assert [event["data"]["object"]["id"] for event in receiver.events()] == [early.id, late.id]


def test_fault_reorder_does_not_hold_an_event_for_ever(sandbox, client, receiver):
    fault(sandbox, reorder=True)
    sandbox.stripe.pay(make_session(client).id)
    receiver.wait_for(1)


def test_fault_delay_lets_the_event_come_later(sandbox, client, receiver):
    fault(sandbox, delay_ms=700)
    started = time.monotonic()
    sandbox.stripe.pay(make_session(client).id)
    assert receiver.wait_for(1)[0]["at"] - started >= 0.7


def test_fault_wrong_secret_makes_a_signature_that_the_sdk_refuses(sandbox, client, receiver):
    fault(sandbox, wrong_secret=True)
    sandbox.stripe.pay(make_session(client).id)
    delivery = receiver.wait_for(1)[0]
    with pytest.raises(stripe.SignatureVerificationError):
        client.construct_event(delivery["body"], delivery["signature"], SECRET)


def test_events_can_claim_to_be_live(sandbox, client, receiver):
    sandbox.stripe.settings.change(livemode=True)
    sandbox.stripe.pay(make_session(client).id)
    receiver.wait_for(1)
    assert receiver.events()[0]["livemode"] is True


def test_the_webhook_endpoint_is_listed(sandbox, client, receiver):
    [endpoint] = client.v1.webhook_endpoints.list().data
    assert (endpoint.url, endpoint.api_version) == (receiver.url, stripe.api_version)
    assert "checkout.session.completed" in endpoint.enabled_events


def test_an_event_can_be_sent_again(sandbox, client, receiver):
    sandbox.stripe.pay(make_session(client).id, wait_s=5)
    event = receiver.events()[0]
    answer = requests.post(f"{sandbox.stripe_url}/_control/events/{event['id']}/resend")
    assert answer.status_code == 200
    receiver.wait_for(2)
    assert receiver.events()[1]["id"] == event["id"]


def test_without_an_endpoint_events_are_only_kept(sandbox, client, receiver):
    sandbox.context.webhooks.stripe_url = ""
    sandbox.stripe.pay(make_session(client).id, wait_s=5)
    assert client.v1.events.list({"type": "checkout.session.completed"}).data[0].pending_webhooks == 0
    assert receiver.deliveries == []
