"""The one client of Stripe's SDK, and what its failures are called here."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any

import stripe
from django.conf import settings

from payments import configuration
from payments.errors import (
    IdempotencyConflict,
    ObjectNotFound,
    PaymentsError,
    ProviderMisconfigured,
    ProviderRejected,
    ProviderUnavailable,
)

CONNECT_TIMEOUT_S = 3.05
READ_TIMEOUT_S = 15
MAX_RETRIES = 1
PAGE = 100


def client() -> stripe.StripeClient:
    """Raises ProviderMisconfigured while payments are off or their settings are unsafe."""
    if not configuration.is_enabled():
        raise ProviderMisconfigured("Payments are off: STRIPE_SECRET_KEY is not set.")
    for problem in configuration.problems():
        if problem.forbids_use:
            raise ProviderMisconfigured(problem.message)
    return _build_client(settings.STRIPE_SECRET_KEY, settings.STRIPE_API_BASE, api_version())


def api_version() -> str:
    return settings.STRIPE_API_VERSION or stripe.api_version


def ask(call: Callable[[], stripe.StripeObject]) -> dict[str, Any]:
    """The answer as plain data; raises the errors of this project, never the SDK's: their text can name a person."""
    try:
        return call().to_dict(for_json=True)
    except stripe.StripeError as error:
        raise _translate(error) from None


def ask_for_all(call: Callable[[], Any]) -> Iterator[dict[str, Any]]:
    """Every item of a list, page after page as they are used; newest first, as Stripe lists them."""
    try:
        for item in call().auto_paging_iter():
            yield item.to_dict(for_json=True)
    except stripe.StripeError as error:
        raise _translate(error) from None


def server_time() -> datetime:
    """What Stripe's clock says, to the second; raises the errors of this project."""
    sessions = client().v1.checkout.sessions
    try:
        answer = sessions.list({"limit": 1}).last_response
    except stripe.StripeError as error:
        raise _translate(error) from error
    said = answer.headers.get("Date") if answer and answer.headers else None
    if said is None:
        raise ProviderUnavailable("an answer without its time")
    return parsedate_to_datetime(said)


def as_time(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, tz=UTC)


def id_of(value: Any) -> str:
    """The id of what may be expanded or not, empty for nothing."""
    return str((value.get("id") if isinstance(value, dict) else value) or "")


@lru_cache(maxsize=4)
def _build_client(api_key: str, api_base: str, version: str) -> stripe.StripeClient:
    return stripe.StripeClient(
        api_key,
        stripe_version=version,
        base_addresses={"api": api_base},
        max_network_retries=MAX_RETRIES,
        http_client=stripe.RequestsClient(timeout=(CONNECT_TIMEOUT_S, READ_TIMEOUT_S)),
    )


def _translate(error: stripe.StripeError) -> PaymentsError:
    # The SDK's text can repeat what was sent; type, code and request id are enough to find it in the dashboard.
    said = f"{type(error).__name__} {error.http_status or ''} {error.code or ''} {error.request_id or ''}".strip()
    if isinstance(error, stripe.AuthenticationError | stripe.PermissionError):
        return ProviderMisconfigured(said)
    if isinstance(error, stripe.IdempotencyError):
        return IdempotencyConflict(said, code=error.code or "")
    if isinstance(error, stripe.InvalidRequestError | stripe.CardError):
        kind = ObjectNotFound if error.code == "resource_missing" else ProviderRejected
        return kind(said, code=error.code or "", param=error.param or "")
    headers = {name.lower(): value for name, value in (error.headers or {}).items()}
    return ProviderUnavailable(
        said,
        retry_after_s=_seconds(headers.get("retry-after", "")),
        is_replayed=headers.get("idempotent-replayed") == "true",
    )


def _seconds(retry_after: str) -> int:
    return min(int(retry_after), 300) if retry_after.isdecimal() else 5
