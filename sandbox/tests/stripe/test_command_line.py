"""Stripe's own command line triggers its fixtures at the stand-in, when asked to: it is fetched by npm first.

SANDBOX_STRIPE_CLI=1 python -m pytest -q sandbox/tests/stripe/test_command_line.py
"""

import os
import shutil
import subprocess

import pytest
import stripe

from sandbox.tests.stripe.making import KEY

PACKAGE = "@stripe/cli@1.52.0"


@pytest.fixture(scope="session")
def trigger(tmp_path_factory):
    if not os.environ.get("SANDBOX_STRIPE_CLI"):
        pytest.skip("SANDBOX_STRIPE_CLI is not set")
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not installed")
    home = tmp_path_factory.mktemp("stripe-cli")
    fetched = subprocess.run([npm, "install", "--no-audit", "--no-fund", PACKAGE], cwd=home, capture_output=True)
    if fetched.returncode:
        pytest.skip(f"npm could not fetch {PACKAGE}")
    env = os.environ | {"HOME": str(home), "STRIPE_CLI_TELEMETRY_OPTOUT": "1"}

    def run(event, base):
        command = [home / "node_modules/.bin/stripe", "trigger", event, "--api-base", base, "--api-key", KEY]
        return subprocess.run(command, cwd=home, env=env, capture_output=True, text=True, timeout=60)

    return run


@pytest.mark.live
@pytest.mark.parametrize(
    "event",
    [
        "checkout.session.completed",
        "checkout.session.expired",
        "checkout.session.async_payment_succeeded",
        "checkout.session.async_payment_failed",
        "charge.refunded",
        "charge.dispute.created",
        "payment_intent.payment_failed",
    ],
)
def test_stripes_command_line_triggers(sandbox, trigger, event):
    done = trigger(event, sandbox.url)
    assert "Trigger succeeded" in done.stdout + done.stderr, done.stderr
    assert sandbox.stripe.events(event)


@pytest.fixture
def client_at_root(sandbox):
    return stripe.StripeClient(KEY, base_addresses={"api": sandbox.url})


def test_an_intent_is_paid_without_a_page(sandbox, client_at_root):
    params = {"amount": 2000, "currency": "usd", "confirm": True, "metadata": {"order_id": "o-1"}}
    intents = client_at_root.v1.payment_intents
    paid = intents.create({**params, "payment_method": "pm_card_visa"}, {"expand": ["latest_charge"]})
    assert (paid.status, paid.amount_received, paid.metadata["order_id"]) == ("succeeded", 2000, "o-1")
    assert client_at_root.v1.refunds.create({"payment_intent": paid.id}).amount == 2000
    disputed = intents.create({**params, "payment_method": "pm_card_createDispute"})
    assert client_at_root.v1.disputes.list({"payment_intent": disputed.id}).data[0].status == "needs_response"
    with pytest.raises(stripe.CardError, match="declined"):
        intents.create({**params, "payment_method": "pm_card_chargeDeclined"})
    for wrong in ({"confirm": False}, {"payment_method": "pm_card_mystery"}, {"off_session": True}):
        with pytest.raises(stripe.InvalidRequestError):
            intents.create({**params, "payment_method": "pm_card_visa", **wrong})
