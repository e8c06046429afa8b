import json

import pytest
import requests
import stripe
from stripe import checkout
from stripe.params.checkout import SessionCreateParams

from sandbox.stripe.annotations import fields_of
from sandbox.stripe.schema import problems
from sandbox.tests.stripe.making import KEY, make_session


@pytest.fixture
def paid_session(sandbox, client):
    session = make_session(client)
    sandbox.stripe.pay(session.id)
    expand = ["payment_intent.latest_charge", "line_items.data.price.product"]
    return client.v1.checkout.sessions.retrieve(session.id, {"expand": expand}).to_dict(for_json=True)


def test_a_real_answer_has_no_problems(paid_session):
    assert problems(paid_session) == []


@pytest.mark.parametrize(
    ("path", "value", "complaint"),
    [
        ("created", None, "$.created: required"),
        ("created", "1700000000", "$.created: must be int"),
        ("livemode", 0, "$.livemode: must be bool"),
        ("amount_total", True, "$.amount_total: must be int"),
        ("status", "paid", "$.status: 'paid' is not one of"),
        ("mode", "buy", "$.mode: 'buy' is not one of"),
        ("ui_mode", "hosted", "$.ui_mode: 'hosted' is not one of"),
        ("colour", "red", "$.colour: unknown field"),
        ("custom_fields", {}, "$.custom_fields: must be a list"),
        ("metadata", {"a": 1}, "$.metadata.a: must be str"),
        ("total_details", {"amount_discount": 0}, "$.total_details.amount_tax: required"),
        ("payment_method_types", ["card", 5], "$.payment_method_types[1]: must be str"),
        ("payment_intent.status", "paid", "$.payment_intent.status: 'paid' is not one of"),
        ("payment_intent.latest_charge.paid", "yes", "$.payment_intent.latest_charge.paid: must be bool"),
        ("line_items.has_more", None, "$.line_items.has_more: must be bool"),
        (
            "line_items.data.0.price.unit_amount_decimal",
            4900,
            "$.line_items.data[0].price.unit_amount_decimal: must be a",
        ),
        ("line_items.data.0.price.product.name", None, "$.line_items.data[0].price.product.name: required"),
        ("object", "checkout", "$: not a known resource"),
    ],
)
def test_one_wrong_field_anywhere_is_found(paid_session, path, value, complaint):
    *parents, last = path.split(".")
    holder = paid_session
    for parent in parents:
        holder = holder[int(parent) if parent.isdigit() else parent]
    holder[last] = value
    found = problems(paid_session)
    assert any(each.startswith(complaint) for each in found), found


def test_the_object_inside_an_event_is_checked_too(sandbox, client):
    sandbox.stripe.pay(make_session(client).id)
    event = sandbox.stripe.events("checkout.session.completed")[0]
    assert problems(event) == []
    event["data"]["object"]["payment_status"] = "yes"
    assert problems(event) == ["$.data.object.payment_status: 'yes' is not one of no_payment_required, paid, unpaid"]


def test_an_ill_formed_answer_never_leaves_the_sandbox(sandbox, client):
    session = make_session(client)
    stored = sandbox.context.store.get("stripe.sessions", session.id)
    sandbox.context.store.put("stripe.sessions", session.id, stored | {"ui_mode": "hosted"})
    url, headers = f"{sandbox.stripe_url}/v1/checkout/sessions/{session.id}", {"Authorization": f"Bearer {KEY}"}
    answer = requests.get(url, headers=headers)
    assert (answer.status_code, answer.json()["error"]["type"]) == (500, "api_error")
    assert "$.ui_mode: 'hosted' is not one of" in answer.json()["error"]["message"]


def test_the_schema_is_that_of_the_installed_sdk():
    fields = fields_of(checkout.Session)
    assert not fields["created"].is_optional
    assert fields["payment_intent"].is_optional
    assert stripe.PaymentIntent in fields["payment_intent"].options
    assert "payment_method_types" not in fields_of(SessionCreateParams)
    assert "idempotency_key" not in fields_of(SessionCreateParams)


def test_everything_the_stand_in_keeps_is_well_formed(sandbox, client):
    session = make_session(client, customer_creation="always")
    sandbox.stripe.pay_by_bank_debit(session.id)
    sandbox.stripe.settle(session.id, "failed")
    kept = [
        record
        for name in ("sessions", "payment_intents", "charges", "events", "products", "prices", "customers")
        for record in sandbox.context.store.values(f"stripe.{name}")
    ]
    assert {record["object"] for record in kept} >= {"checkout.session", "charge", "customer", "event", "price"}
    assert [found for record in kept for found in problems(record)] == []
    assert json.dumps(kept)
