"""The border to Stripe: the only importer of its SDK. What leaves this module is ours: dataclasses and own errors."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from functools import lru_cache
from typing import Any, TypeVar

import stripe
from django.conf import settings
from stripe.params.checkout import SessionCreateParams, SessionCreateParamsLineItem

from payments import configuration
from payments.errors import (
    IdempotencyConflict,
    PaymentsError,
    ProviderMisconfigured,
    ProviderRejected,
    ProviderUnavailable,
    SessionNotFound,
    SessionNotOpen,
    WebhookRejected,
)

CONNECT_TIMEOUT_S = 3.05
READ_TIMEOUT_S = 15
MAX_RETRIES = 1
SIGNATURE_AGE_S = 300
WITH_PAYMENT = ["payment_intent.latest_charge"]
Answer = TypeVar("Answer")


class Outcome(Enum):
    """What a checkout session means for the money."""

    OPEN = "open"
    PAID = "paid"
    PROCESSING = "processing"
    FAILED = "failed"
    EXPIRED = "expired"


@dataclass(frozen=True, kw_only=True)
class Line:
    """One thing on the checkout page; `amount_minor` in the smallest unit of the session's currency."""

    title: str
    amount_minor: int
    image_url: str = ""


@dataclass(frozen=True, kw_only=True)
class SessionRequest:
    """What a checkout session is made from; `success_url` holds the literal `{CHECKOUT_SESSION_ID}`."""

    currency: str
    lines: tuple[Line, ...]
    customer_email: str = field(repr=False)
    client_reference_id: str
    metadata: dict[str, str] = field(repr=False)
    success_url: str
    cancel_url: str
    expires_at: datetime
    idempotency_key: str


@dataclass(frozen=True, kw_only=True)
class CheckoutSession:
    """A checkout session as Stripe has it now; amounts in minor units, `currency` in lower case."""

    id: str
    url: str
    status: str
    payment_status: str
    mode: str
    livemode: bool
    currency: str
    amount_total_minor: int
    client_reference_id: str
    metadata: dict[str, str] = field(repr=False)
    created_at: datetime
    expires_at: datetime
    payment_intent_id: str | None
    payment_intent_status: str
    charge_id: str

    @property
    def outcome(self) -> Outcome:
        """An unpaid completed session waits for the bank, until its intent asks for another way to pay."""
        if self.status == "expired":
            return Outcome.EXPIRED
        if self.status != "complete":
            return Outcome.OPEN
        if self.payment_status != "unpaid":
            return Outcome.PAID
        if self.payment_intent_status in ("requires_payment_method", "canceled"):
            return Outcome.FAILED
        return Outcome.PROCESSING


@dataclass(frozen=True, kw_only=True)
class Event:
    """A verified webhook event; `data` is the raw object that it is about."""

    id: str
    type: str
    livemode: bool
    api_version: str
    created_at: datetime
    object_id: str
    data: dict[str, Any] = field(repr=False)


def create_session(request: SessionRequest) -> CheckoutSession:
    """Create a checkout session, or get the one that the same idempotency key made before.

    Raises ProviderUnavailable, ProviderMisconfigured, IdempotencyConflict, ProviderRejected.
    """
    sessions = _client().v1.checkout.sessions
    params = _session_params(request)
    return _session(_ask(lambda: sessions.create(params, {"idempotency_key": request.idempotency_key})))


def retrieve_session(session_id: str) -> CheckoutSession:
    """Ask Stripe for a session with its payment; raises SessionNotFound and the errors of `create_session`."""
    sessions = _client().v1.checkout.sessions
    try:
        return _session(_ask(lambda: sessions.retrieve(session_id, {"expand": WITH_PAYMENT})))
    except ProviderRejected as error:
        if error.code == "resource_missing":
            raise SessionNotFound(str(error), code=error.code, param=error.param) from error
        raise


def expire_session(session_id: str) -> CheckoutSession:
    """Close an open session so that nobody can pay it; raises SessionNotOpen when it is not open (any more)."""
    sessions = _client().v1.checkout.sessions
    try:
        return _session(_ask(lambda: sessions.expire(session_id, {"expand": WITH_PAYMENT})))
    except ProviderRejected as error:
        raise SessionNotOpen(str(error), code=error.code, param=error.param) from error


def verify_event(body: bytes, signature: str | None) -> Event:
    """Check a delivery's signature and age against each accepted secret, and read it.

    Raises WebhookRejected. The SDK lets a TypeError (non-ASCII header) and ValueErrors pass unwrapped.
    """
    try:
        text = body.decode()
        if not any(_is_signed_with(secret, text, signature) for secret in configuration.webhook_secrets()):
            raise WebhookRejected("no accepted secret made this signature")
        return _event(json.loads(text))
    except (ValueError, TypeError, LookupError, AttributeError, OverflowError, OSError, RecursionError) as error:
        raise WebhookRejected(f"unreadable event: {type(error).__name__}") from error


def _is_signed_with(secret: str, text: str, signature: str | None) -> bool:
    try:
        stripe.WebhookSignature.verify_header(text, signature or "", secret, SIGNATURE_AGE_S)
    except stripe.SignatureVerificationError:
        return False
    return True


def _event(raw: dict[str, Any]) -> Event:
    data = raw["data"]["object"]
    return Event(
        id=str(raw["id"]),
        type=str(raw["type"]),
        livemode=raw["livemode"] is True,
        api_version=str(raw.get("api_version") or ""),
        created_at=_time(raw["created"]),
        object_id=str(data["id"]),
        data=dict(data),
    )


def _session_params(request: SessionRequest) -> SessionCreateParams:
    return {
        "mode": "payment",
        "line_items": [_line_item(line, request.currency) for line in request.lines],
        "success_url": request.success_url,
        "cancel_url": request.cancel_url,
        "client_reference_id": request.client_reference_id,
        "customer_email": request.customer_email,
        "expires_at": int(request.expires_at.timestamp()),
        "metadata": request.metadata,
        # Session metadata is not copied to the intent, whose refunds and disputes have to find their order.
        "payment_intent_data": {"metadata": request.metadata},
        # An account-wide default can switch tax on for sessions that leave this out:
        # https://docs.stripe.com/tax/checkout/automatic-tax-default
        "automatic_tax": {"enabled": False},
        "adaptive_pricing": {"enabled": False},
    }


def _line_item(line: Line, currency: str) -> SessionCreateParamsLineItem:
    item: SessionCreateParamsLineItem = {
        "quantity": 1,
        "price_data": {
            "currency": currency,
            "unit_amount": line.amount_minor,
            "product_data": {"name": line.title},
        },
    }
    if line.image_url:
        item["price_data"]["product_data"]["images"] = [line.image_url]
    return item


def _session(raw: dict[str, Any]) -> CheckoutSession:
    intent = raw.get("payment_intent")
    intent = {"id": intent} if isinstance(intent, str) else intent or {}
    charge = intent.get("latest_charge")
    return CheckoutSession(
        id=raw["id"],
        url=raw.get("url") or "",
        status=raw.get("status") or "",
        payment_status=raw.get("payment_status") or "",
        mode=raw.get("mode") or "",
        livemode=raw["livemode"],
        currency=(raw.get("currency") or "").lower(),
        amount_total_minor=raw.get("amount_total") or 0,
        client_reference_id=raw.get("client_reference_id") or "",
        metadata=raw.get("metadata") or {},
        created_at=_time(raw["created"]),
        expires_at=_time(raw["expires_at"]),
        payment_intent_id=intent.get("id"),
        payment_intent_status=intent.get("status") or "",
        charge_id=(charge.get("id") if isinstance(charge, dict) else charge) or "",
    )


def _time(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, tz=UTC)


def _client() -> stripe.StripeClient:
    if not configuration.is_enabled():
        raise ProviderMisconfigured("Payments are off: STRIPE_SECRET_KEY is not set.")
    for problem in configuration.problems():
        if problem.forbids_use:
            raise ProviderMisconfigured(problem.message)
    version = settings.STRIPE_API_VERSION or stripe.api_version
    return _build_client(settings.STRIPE_SECRET_KEY, settings.STRIPE_API_BASE, version)


@lru_cache(maxsize=4)
def _build_client(api_key: str, api_base: str, api_version: str) -> stripe.StripeClient:
    return stripe.StripeClient(
        api_key,
        stripe_version=api_version,
        base_addresses={"api": api_base},
        max_network_retries=MAX_RETRIES,
        http_client=stripe.RequestsClient(timeout=(CONNECT_TIMEOUT_S, READ_TIMEOUT_S)),
    )


def _ask(call: Callable[[], stripe.StripeObject]) -> dict[str, Any]:
    try:
        return call().to_dict(for_json=True)
    except stripe.StripeError as error:
        raise _translate(error) from error


def _translate(error: stripe.StripeError) -> PaymentsError:
    # The SDK's text can repeat what was sent; type, code and request id are enough to find it in the dashboard.
    said = f"{type(error).__name__} {error.http_status or ''} {error.code or ''} {error.request_id or ''}".strip()
    if isinstance(error, stripe.AuthenticationError | stripe.PermissionError):
        return ProviderMisconfigured(said)
    if isinstance(error, stripe.IdempotencyError):
        return IdempotencyConflict(said, code=error.code or "")
    if isinstance(error, stripe.InvalidRequestError | stripe.CardError):
        return ProviderRejected(said, code=error.code or "", param=error.param or "")
    headers = {name.lower(): value for name, value in (error.headers or {}).items()}
    return ProviderUnavailable(
        said,
        retry_after_s=_seconds(headers.get("retry-after", "")),
        is_replayed=headers.get("idempotent-replayed") == "true",
    )


def _seconds(retry_after: str) -> int:
    return min(int(retry_after), 300) if retry_after.isdecimal() else 5
