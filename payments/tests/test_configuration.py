import pytest
from django.core.checks import run_checks

from payments import configuration, stripe
from payments.errors import ProviderMisconfigured


def payment_errors() -> list[str]:
    return [message.id for message in run_checks() if message.id and message.id.startswith("payments.")]


def test_a_key_without_a_webhook_secret_is_an_error(settings, sandbox):
    settings.STRIPE_WEBHOOK_SECRETS = [""]
    assert payment_errors() == ["payments.E001"]


def test_sound_settings_have_no_error(sandbox):
    assert payment_errors() == []


def test_payments_that_are_off_have_no_error(settings):
    settings.STRIPE_SECRET_KEY, settings.STRIPE_WEBHOOK_SECRETS = "", []
    assert payment_errors() == []


@pytest.mark.parametrize("key", ["sk_live_abc", "rk_live_abc"])
def test_a_live_key_in_development_is_an_error_and_is_not_used(settings, key):
    settings.STRIPE_SECRET_KEY, settings.DEBUG = key, True
    settings.STRIPE_API_BASE = "https://api.stripe.com"
    assert payment_errors() == ["payments.E002"]
    with pytest.raises(ProviderMisconfigured):
        stripe.retrieve_session("cs_test_1")


@pytest.mark.parametrize(
    ("base", "key"),
    [
        ("http://127.0.0.1:9/stripe", "sk_test_abc"),
        ("http://127.0.0.1:9/stripe", "sk_live_abc"),
        ("https://stripe.evil.example", "sk_test_sandbox_abc"),
        ("http://127.0.0.1.evil.example", "sk_test_sandbox_abc"),
        ("http://127.0.0.1@evil.example", "sk_test_sandbox_abc"),
        ("http://api.stripe.com", "sk_test_abc"),
        ("https://api.stripe.com", "sk_test_sandbox_abc"),
        ("http://[", "sk_test_sandbox_abc"),
    ],
)
def test_another_address_than_stripes_takes_loopback_and_a_sandbox_key(settings, base, key):
    settings.STRIPE_SECRET_KEY, settings.STRIPE_API_BASE = key, base
    assert payment_errors() == ["payments.E003"]
    with pytest.raises(ProviderMisconfigured):
        stripe.retrieve_session("cs_test_1")


@pytest.mark.parametrize(
    ("minutes", "expected"), [(30, ["payments.E004"]), (31, []), (1439, []), (1440, ["payments.E004"])]
)
def test_an_end_of_checkout_that_stripe_would_refuse_is_an_error(settings, sandbox, minutes, expected):
    settings.PAYMENTS_CHECKOUT_MINUTES = minutes
    assert payment_errors() == expected


def test_events_that_are_kept_for_no_day_are_an_error(settings, sandbox):
    settings.PAYMENTS_EVENTS_KEPT_DAYS = 0
    assert payment_errors() == ["payments.E006"]


@pytest.mark.parametrize("name", list(configuration.POLICIES))
def test_a_policy_that_does_not_exist_is_an_error_and_stripe_is_not_asked(settings, sandbox, name):
    for known in configuration.POLICIES[name]:
        setattr(settings, name, known)
        assert payment_errors() == []
    for unknown in ("", "Flag", "both"):
        setattr(settings, name, unknown)
        (error,) = configuration.problems()
        assert payment_errors() == ["payments.E005"]
        assert name in error.message
    with pytest.raises(ProviderMisconfigured):
        stripe.retrieve_session("cs_test_1")


def test_without_a_key_stripe_is_not_asked(settings):
    settings.STRIPE_SECRET_KEY = ""
    with pytest.raises(ProviderMisconfigured):
        stripe.retrieve_session("cs_test_1")
