"""What the stand-in claims of Stripe; the same tests ask Stripe's test mode when STRIPE_TEST_SECRET_KEY is set."""

import os
import uuid

import pytest
import stripe

from sandbox.stripe.schema import problems
from sandbox.tests.stripe.making import line_item, make_session, session_params


@pytest.fixture(params=["stand-in", pytest.param("Stripe", marks=pytest.mark.live)])
def either(request):
    if request.param == "stand-in":
        return request.getfixturevalue("client")
    key = os.environ.get("STRIPE_TEST_SECRET_KEY", "")
    if not key.startswith(("sk_test_", "rk_test_")):
        pytest.skip("STRIPE_TEST_SECRET_KEY holds no test key")
    return stripe.StripeClient(key)


def test_a_new_session_is_described_by_the_sdk(either):
    session = make_session(either)
    assert problems(session.to_dict(for_json=True)) == []
    assert (session.status, session.payment_status, session.ui_mode) == ("open", "unpaid", "hosted_page")
    assert session.id.startswith("cs_test_")
    assert session.payment_intent is None
    assert session.url.startswith("http")
    either.v1.checkout.sessions.expire(session.id)


def test_an_expired_session_can_not_be_expired_again(either):
    session = make_session(either)
    assert either.v1.checkout.sessions.expire(session.id).status == "expired"
    with pytest.raises(stripe.InvalidRequestError, match='in \\["open"\\] can be expired'):
        either.v1.checkout.sessions.expire(session.id)


def test_a_key_replays_its_answer_and_refuses_other_parameters(either):
    options = {"idempotency_key": f"contract-{uuid.uuid4()}"}
    first = either.v1.checkout.sessions.create(session_params(), options)
    again = either.v1.checkout.sessions.create(session_params(), options)
    assert (again.id, again.last_response.headers["Idempotent-Replayed"]) == (first.id, "true")
    with pytest.raises(stripe.IdempotencyError) as caught:
        either.v1.checkout.sessions.create(session_params(client_reference_id="order-2"), options)
    assert caught.value.http_status == 400
    either.v1.checkout.sessions.expire(first.id)


@pytest.mark.parametrize(
    ("overrides", "param", "code"),
    [
        ({"payment_method_types": ["card"]}, "payment_method_types", "parameter_unknown"),
        ({"ui_mode": "hosted"}, "ui_mode", None),
        ({"success_url": "/paid"}, "success_url", "url_invalid"),
        ({"line_items": [line_item(unit_amount=1)]}, None, "amount_too_small"),
        ({"expires_at": 1}, "expires_at", None),
    ],
)
def test_a_wrong_session_is_refused(either, overrides, param, code):
    with pytest.raises(stripe.InvalidRequestError) as caught:
        make_session(either, **overrides)
    assert (caught.value.http_status, caught.value.param, caught.value.code) == (400, param, code)


def test_an_unknown_session_is_not_found(either):
    with pytest.raises(stripe.InvalidRequestError) as caught:
        either.v1.checkout.sessions.retrieve("cs_test_nobody")
    assert (caught.value.http_status, caught.value.code) == (404, "resource_missing")
