from datetime import timedelta
from email.utils import format_datetime
from io import StringIO

import pytest
from django.core.management import call_command
from django.utils import timezone

from payments.services.account_check import check_account, report_account, webhook_url
from payments.services.webhooks import EVENTS
from payments.tasks import check_account as task


@pytest.fixture
def endpoint(sandbox):
    """The stand-in with a webhook endpoint that leads here."""
    sandbox.context.webhooks.stripe_url = webhook_url()
    return sandbox


def bad() -> list[str]:
    return [finding.code for finding in check_account() if not finding.is_well]


def test_an_account_that_is_set_up_is_well(endpoint):
    assert bad() == []
    assert webhook_url().endswith("/api/payments/stripe/webhook/")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"webhook_endpoint_status": "disabled"}, "endpoint_disabled"),
        ({"webhook_endpoint_version": "2020-08-27"}, "version"),
        ({"enabled_events": EVENTS[1:]}, "events"),
    ],
)
def test_each_thing_that_is_wrong_with_the_endpoint_is_named(endpoint, change, code):
    endpoint.stripe.settings.change(**change)
    assert bad() == [code]
    endpoint.stripe.settings.change(**{"enabled_events": ["*"]})
    assert "events" not in bad()


def test_an_endpoint_without_its_slash_is_shown_beside_the_right_address(endpoint):
    endpoint.context.webhooks.stripe_url = webhook_url().rstrip("/")
    finding = next(finding for finding in check_account() if not finding.is_well)
    assert finding.code == "endpoint_missing"
    assert f"{webhook_url().rstrip('/')}: the address must be the same" in finding.hint


def test_what_keeps_stripe_from_answering_is_told_apart(endpoint, settings):
    endpoint.fault(service="stripe", path="/v1/webhook_endpoints", status=403, times=1)
    assert bad() == ["endpoints_hidden"]
    endpoint.fault(service="stripe", path="/v1/checkout/sessions", status=500, times=2)
    assert bad() == ["unreachable"]
    settings.STRIPE_SECRET_KEY = "sk_test_sandbox_another"
    assert bad() == ["key_refused"]
    settings.STRIPE_SECRET_KEY = "sk_live_for_real"
    settings.DEBUG = True
    assert "payments.E002" in bad()


def test_a_clock_that_is_off_is_told(endpoint):
    said = format_datetime(timezone.now() + timedelta(minutes=5), usegmt=True)
    endpoint.fault(service="stripe", path="/v1/checkout/sessions", headers={"Date": said})
    assert bad() == ["clock"]


def test_the_command_ends_with_1_and_never_prints_a_key(sandbox, settings):
    printed = StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("stripe_check", stdout=printed)
    assert ended.value.code == 1
    assert f"BAD No webhook endpoint leads to {webhook_url()}." in printed.getvalue()
    assert "ok  Stripe answers" in printed.getvalue()
    assert settings.STRIPE_SECRET_KEY not in printed.getvalue()
    assert settings.STRIPE_WEBHOOK_SECRETS[0] not in printed.getvalue()


def test_the_periodic_job_logs_what_is_wrong_and_is_silent_while_payments_are_off(sandbox, settings, caplog):
    task.delay()
    assert "No webhook endpoint leads to" in caplog.text
    settings.STRIPE_SECRET_KEY = ""
    assert report_account() == []
    assert bad() == ["payments_off"]
