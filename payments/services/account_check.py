"""Whether the account at Stripe is set up as this installation needs it."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from payments import configuration, stripe
from payments.errors import PaymentsError, ProviderMisconfigured
from payments.services.webhooks import EVENTS
from payments.stripe import Endpoint

logger = logging.getLogger(__name__)

CLOCKS_DIFFER_AT_MOST = timedelta(seconds=60)


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that was looked at; `hint` says what to do when it is not well."""

    code: str
    is_well: bool
    message: str
    hint: str = ""


def check_account() -> list[Finding]:
    """Look at the settings, then ask Stripe about key, clock and webhook endpoint; no key is ever in the words."""
    if not configuration.is_enabled():
        return [_bad("payments_off", "Payments are off.", "Set STRIPE_SECRET_KEY to sell courses.")]
    problems = configuration.problems()
    found = [_bad(problem.id, problem.message, problem.hint) for problem in problems]
    if any(problem.forbids_use for problem in problems):
        return found
    return [*found, _mode(), *_at_stripe()]


def report_account() -> list[Finding]:
    """As `check_account`, for the periodic job: what is not well is logged; nothing is asked while payments are off."""
    if not configuration.is_enabled():
        return []
    findings = check_account()
    for finding in findings:
        if not finding.is_well:
            logger.error("Stripe is not set up as it should be: %s %s", finding.message, finding.hint)
    return findings


def webhook_url() -> str:
    """Where Stripe has to send its events, from the outside."""
    return settings.PUBLIC_URL + reverse("payments:stripe-webhook")


def _mode() -> Finding:
    if configuration.is_live():
        return _well("mode", "The key is a live one: real money.")
    return _well("mode", "The key is a test one: no real money is taken.")


def _at_stripe() -> Iterator[Finding]:
    try:
        differs = stripe.server_time() - timezone.now()
    except ProviderMisconfigured as error:
        yield _bad("key_refused", f"Stripe refuses the key ({error}).", "Set STRIPE_SECRET_KEY to a key that is valid.")
        return
    except PaymentsError as error:
        yield _bad("unreachable", f"Stripe does not answer ({error}).", "Look at https://status.stripe.com and here.")
        return
    yield _well("reachable", "Stripe answers and takes the key.")
    yield _clock(differs)
    try:
        endpoints = list(stripe.list_endpoints())
    except PaymentsError as error:
        message = f"Stripe does not tell this key about webhook endpoints ({error})."
        yield _bad("endpoints_hidden", message, "Let the restricted key read webhook endpoints.")
        return
    yield from _endpoint(endpoints)


def _clock(differs: timedelta) -> Finding:
    seconds = round(differs.total_seconds())
    if abs(differs) > CLOCKS_DIFFER_AT_MOST:
        message = f"Our clock and Stripe's are {abs(seconds)} s apart."
        return _bad("clock", message, "Keep the clock by NTP: from 300 s on every webhook is refused.")
    return _well("clock", "Our clock agrees with Stripe's.")


def _endpoint(endpoints: list[Endpoint]) -> Iterator[Finding]:
    url = webhook_url()
    mine = [endpoint for endpoint in endpoints if endpoint.url == url]
    if not mine:
        near = next((other.url for other in endpoints if _is_near(other.url, url)), "")
        wrong = f" Stripe has {near}: the address must be the same to the last slash." if near else ""
        yield _bad("endpoint_missing", f"No webhook endpoint leads to {url}.", f"Create one at Stripe.{wrong}")
        return
    endpoint = next((endpoint for endpoint in mine if endpoint.is_enabled), mine[0])
    yield _well("endpoint", f"The webhook endpoint {url} is there.")
    if not endpoint.is_enabled:
        yield _bad("endpoint_disabled", "The webhook endpoint is disabled.", "Enable it at Stripe, then reconcile.")
    if endpoint.api_version != stripe.api_version():
        message = f"The endpoint's version is {endpoint.api_version or 'the default of the account'}."
        hint = f"Create the endpoint with {stripe.api_version()}, which is what we ask with, or set STRIPE_API_VERSION."
        yield _bad("version", message, hint)
    missing = [] if "*" in endpoint.events else [name for name in EVENTS if name not in endpoint.events]
    if missing:
        yield _bad("events", "The endpoint is not told about some events.", f"Add {', '.join(missing)}.")
    if len(mine) > 1:
        yield _bad("endpoint_twice", "Several webhook endpoints lead here.", "Delete all but one: each has a secret.")


def _is_near(url: str, wanted: str) -> bool:
    def bare(text: str) -> str:
        return text.partition("://")[2].rstrip("/").lower()

    return bare(url) == bare(wanted)


def _well(code: str, message: str) -> Finding:
    return Finding(code=code, is_well=True, message=message)


def _bad(code: str, message: str, hint: str) -> Finding:
    return Finding(code=code, is_well=False, message=message, hint=hint)
