import threading

import pytest
import requests
import stripe

from sandbox.config import SandboxConfig
from sandbox.server import Sandbox
from sandbox.tests.stripe.making import KEY, make_session, session_params


def as_form(params, prefix=""):
    items = enumerate(params) if isinstance(params, list) else params.items()
    for name, value in items:
        at = f"{prefix}[{name}]" if prefix else name
        if isinstance(value, dict | list):
            yield from as_form(value, at)
        else:
            yield at, str(value).lower() if isinstance(value, bool) else str(value)


def post(sandbox, path, params, **headers):
    headers = {"Authorization": f"Bearer {KEY}"} | headers
    return requests.post(sandbox.stripe_url + path, data=list(as_form(params)), headers=headers)


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        f"Basic {KEY}",
        "Bearer sk_test_another",
        "Bearer sk_live_sandbox_11tutors",
        "Bearer rk_test_another",
        "Bearer ",
    ],
)
def test_any_key_but_the_configured_one_is_refused(sandbox, authorization):
    answer = requests.get(sandbox.stripe_url + "/v1/events", headers={"Authorization": authorization})
    assert answer.status_code == 401
    assert answer.json()["error"]["type"] == "invalid_request_error"
    assert "sandbox_11tutors" not in answer.text


def test_a_live_key_is_refused_even_when_it_is_the_configured_one():
    with Sandbox(SandboxConfig(stripe_secret_key="sk_live_real")) as sandbox:
        answer = requests.get(sandbox.stripe_url + "/v1/events", headers={"Authorization": "Bearer sk_live_real"})
    assert answer.status_code == 401


def test_the_sdk_calls_a_wrong_key_an_authentication_error(sandbox):
    client = stripe.StripeClient("sk_live_x", base_addresses={"api": sandbox.stripe_url})
    with pytest.raises(stripe.AuthenticationError):
        client.v1.events.list()


def test_every_answer_carries_a_request_id(client):
    first, second = make_session(client), make_session(client)
    assert first.last_response.request_id.startswith("req_")
    assert first.last_response.request_id != second.last_response.request_id


def test_unknown_addresses_and_ids_are_not_found(sandbox, client):
    answer = requests.get(sandbox.stripe_url + "/v1/nonsense", headers={"Authorization": f"Bearer {KEY}"})
    assert (answer.status_code, answer.json()["error"]["message"]) == (
        404,
        "Unrecognized request URL (GET: /v1/nonsense).",
    )
    with pytest.raises(stripe.InvalidRequestError) as caught:
        client.v1.checkout.sessions.retrieve("cs_test_nobody")
    assert (caught.value.http_status, caught.value.code) == (404, "resource_missing")


def test_a_json_body_is_refused(sandbox):
    url, headers = sandbox.stripe_url + "/v1/checkout/sessions", {"Authorization": f"Bearer {KEY}"}
    answer = requests.post(url, json=session_params(), headers=headers)
    assert answer.status_code == 400
    assert "x-www-form-urlencoded" in answer.json()["error"]["message"]


@pytest.mark.parametrize("name", ["a[", "[a]", "a[b", "metadata" + "[x]" * 20])
def test_garbled_parameter_names_are_refused(sandbox, name):
    answer = post(sandbox, "/v1/checkout/sessions", {name: "1"})
    assert answer.status_code == 400


def test_the_same_key_and_parameters_give_the_first_answer_again(client):
    options = {"idempotency_key": "checkout:1:1"}
    first = client.v1.checkout.sessions.create(session_params(), options)
    again = client.v1.checkout.sessions.create(session_params(), options)
    assert again.id == first.id
    assert again.last_response.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.last_response.headers
    assert len(client.v1.checkout.sessions.list().data) == 1


def test_the_same_key_with_other_parameters_is_an_idempotency_error(client):
    options = {"idempotency_key": "checkout:1:1"}
    client.v1.checkout.sessions.create(session_params(), options)
    with pytest.raises(stripe.IdempotencyError) as caught:
        client.v1.checkout.sessions.create(session_params(client_reference_id="order-2"), options)
    assert caught.value.http_status == 400


def test_a_key_is_free_again_after_its_parameters_were_refused(client):
    options = {"idempotency_key": "checkout:1:1"}
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.checkout.sessions.create(session_params(success_url=None), options)
    assert client.v1.checkout.sessions.create(session_params(), options).id


def test_a_key_in_use_by_a_request_in_flight_is_a_conflict(sandbox, client):
    sandbox.stripe.settings.change(think_ms=1500)
    answers = []
    headers = {"Idempotency-Key": "slow"}
    both = [
        threading.Thread(
            target=lambda: answers.append(post(sandbox, "/v1/checkout/sessions", session_params(), **headers))
        )
        for _ in range(2)
    ]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    conflict = next(answer for answer in answers if answer.status_code == 409)
    assert conflict.json()["error"]["code"] == "idempotency_key_in_use"


def test_a_session_made_behind_a_time_out_is_found_by_trying_again(sandbox):
    sandbox.stripe.settings.change(think_ms=700)
    impatient = stripe.StripeClient(
        KEY,
        base_addresses={"api": sandbox.stripe_url},
        http_client=stripe.RequestsClient(timeout=0.2),
        max_network_retries=0,
    )
    with pytest.raises(stripe.APIConnectionError):
        impatient.v1.checkout.sessions.create(session_params(), {"idempotency_key": "once"})
    patient = stripe.StripeClient(KEY, base_addresses={"api": sandbox.stripe_url}, max_network_retries=4)
    assert patient.v1.checkout.sessions.create(session_params(), {"idempotency_key": "once"}).id
    assert len(sandbox.stripe.sessions()) == 1


def test_a_session_made_behind_a_cut_answer_is_found_by_trying_again(sandbox):
    sandbox.fault(service="stripe", path="/stripe/v1/checkout/sessions", drop=True)
    client = stripe.StripeClient(KEY, base_addresses={"api": sandbox.stripe_url}, max_network_retries=2)
    with pytest.raises(stripe.APIConnectionError):
        client.v1.checkout.sessions.create(session_params(), {"idempotency_key": "once"})
    session = client.v1.checkout.sessions.create(session_params(), {"idempotency_key": "once"})
    assert [each["id"] for each in sandbox.stripe.sessions()] == [session.id]


def test_words_of_older_api_versions_pass_only_with_an_older_version(sandbox):
    old = session_params(ui_mode="hosted") | {"payment_method_types": ["card"]}
    for headers in ({}, {"Stripe-Version": "2025-03-31.basil"}):
        assert post(sandbox, "/v1/checkout/sessions", old, **headers).status_code == 200
    for name in ("ui_mode", "payment_method_types"):
        params = session_params() | {name: old[name]}
        headers = {"Stripe-Version": stripe.api_version}
        answer = post(sandbox, "/v1/checkout/sessions", params, **headers)
        assert answer.status_code == 400
        assert answer.json()["error"]["param"] == name


def test_a_garbled_version_is_refused(sandbox):
    answer = post(sandbox, "/v1/checkout/sessions", session_params(), **{"Stripe-Version": "newest"})
    assert answer.status_code == 400
