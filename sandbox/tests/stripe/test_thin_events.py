import pytest
import requests
import stripe
from stripe.events import V1ChargeRefundedEventNotification, V1CheckoutSessionCompletedEventNotification

from sandbox.stripe import thin
from sandbox.stripe.schema import problems
from sandbox.stripe.settings import DEFAULT_EVENTS
from sandbox.tests.stripe.making import SECRET, make_session


def parsed(client, delivery):
    return client.parse_event_notification(delivery["body"], delivery["signature"], SECRET)


def test_a_thin_event_names_the_object_and_leads_to_it(sandbox, client, receiver):
    sandbox.stripe.settings.change(thin_events=True)
    session = make_session(client)
    sandbox.stripe.pay(session.id)
    [delivery] = receiver.wait_for(1)
    event = parsed(client, delivery)
    assert isinstance(event, V1CheckoutSessionCompletedEventNotification)
    assert (event.related_object.id, event.livemode, event.context) == (session.id, False, None)
    assert event.fetch_related_object().payment_status == "paid"
    full = event.fetch_event()
    assert (full.type, full.id, full.related_object.id) == (event.type, event.id, session.id)
    snapshot = client.v1.events.retrieve(full.snapshot_event)
    assert (snapshot.type, snapshot.data.object.id) == ("checkout.session.completed", session.id)
    assert snapshot.id != event.id
    assert "buyer@example.test" not in delivery["body"].decode()
    with pytest.raises(ValueError, match="parse_event_notification"):
        client.construct_event(delivery["body"], delivery["signature"], SECRET)


def test_one_webhook_of_many_can_be_thin(sandbox, client, receiver):
    intent = sandbox.stripe.pay(make_session(client).id, wait_s=5)["payment_intent"]
    sandbox.fault(service="stripe", webhook={"thin": True}, times=2)
    sandbox.stripe.refund(intent)
    sandbox.context.deliveries.drain(5)
    sandbox.stripe.open_dispute(intent)
    deliveries = receiver.wait_for(4)
    kinds = sorted(type(parsed(client, each)).__name__ for each in deliveries[1:3])
    assert kinds == [V1ChargeRefundedEventNotification.__name__, "V1RefundCreatedEventNotification"]
    assert client.construct_event(deliveries[3]["body"], deliveries[3]["signature"], SECRET).type.startswith("charge.")


@pytest.mark.parametrize("kind", DEFAULT_EVENTS)
def test_every_event_that_is_listened_for_has_a_thin_form(kind):
    subject = {"id": "x_1", "object": "refund" if "refund." in kind else "charge"}
    event = {"id": "evt_1", "type": kind, "created": 1_790_000_000, "livemode": False, "data": {"object": subject}}
    told = thin.notification(event)
    assert problems(told) == []
    assert problems(told | {"type": "v1.no.such.thing"}) != []
    assert problems(told | {"related_object": {"id": "x_1"}}) != []
    assert (told["created"], thin.full_id(told["id"])) == ("2026-09-21T14:13:20.000Z", "evt_1")


def test_unknown_thin_events_are_not_found(sandbox, client):
    sandbox.stripe.pay(make_session(client).id)
    full_id = sandbox.stripe.events()[0]["id"]
    headers = {"Authorization": f"Bearer {client._requestor.api_key}"}
    for name in ("evt_test_nothing", full_id, "x"):
        assert requests.get(f"{sandbox.stripe_url}/v2/core/events/{name}", headers=headers).status_code == 404
    assert requests.get(f"{sandbox.stripe_url}/v2/core/events/x").status_code == 401


def test_the_endpoint_can_be_of_another_version_or_disabled(sandbox, client, receiver):
    settings = {"webhook_endpoint_version": "2025-03-31.basil", "enabled_events": ["refund.created"]}
    control = f"{sandbox.stripe_url}/_control/settings"
    assert requests.post(control, json=settings).json()["webhook_endpoint_version"] == "2025-03-31.basil"
    [endpoint] = client.v1.webhook_endpoints.list().data
    assert (endpoint.api_version, endpoint.enabled_events) == ("2025-03-31.basil", ["refund.created"])
    assert client.v1.webhook_endpoints.retrieve(endpoint.id).status == "enabled"
    intent = sandbox.stripe.pay(make_session(client).id)["payment_intent"]
    sandbox.stripe.refund(intent, 100)
    receiver.wait_for(1)
    assert [event["api_version"] for event in receiver.events()] == ["2025-03-31.basil"]
    requests.post(control, json={"webhook_endpoint_status": "disabled"})
    assert client.v1.webhook_endpoints.list().data[0].status == "disabled"
    sandbox.stripe.refund(intent, 100)
    assert sandbox.context.deliveries.drain(5)
    assert len(receiver.deliveries) == 1
    assert requests.post(control, json={"webhook_endpoint_status": "asleep"}).status_code == 400
    with pytest.raises(stripe.InvalidRequestError, match="No such webhook_endpoint"):
        client.v1.webhook_endpoints.retrieve("we_nobody")
