"""Checkout sessions: https://docs.stripe.com/api/checkout/sessions"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from stripe.params.checkout import SessionCreateParams, SessionCreateParamsLineItem

from payments.errors import ObjectNotFound, ProviderRejected, SessionNotFound, SessionNotOpen
from payments.stripe.client import PAGE, as_time, ask, ask_for_all, client, id_of
from payments.stripe.types import CheckoutSession, Line, SessionRequest

WITH_PAYMENT = ["payment_intent.latest_charge"]


def create_session(request: SessionRequest) -> CheckoutSession:
    """Create a checkout session, or get the one that the same idempotency key made before.

    Raises ProviderUnavailable, ProviderMisconfigured, IdempotencyConflict, ProviderRejected.
    """
    sessions = client().v1.checkout.sessions
    params = _session_params(request)
    return _session(ask(lambda: sessions.create(params, {"idempotency_key": request.idempotency_key})))


def retrieve_session(session_id: str) -> CheckoutSession:
    """Ask Stripe for a session with its payment; raises SessionNotFound and the errors of `create_session`."""
    sessions = client().v1.checkout.sessions
    try:
        return _session(ask(lambda: sessions.retrieve(session_id, {"expand": WITH_PAYMENT})))
    except ObjectNotFound as error:
        raise SessionNotFound(str(error), code=error.code, param=error.param) from error


def expire_session(session_id: str) -> CheckoutSession:
    """Close an open session so that nobody can pay it; raises SessionNotOpen when it is not open (any more)."""
    sessions = client().v1.checkout.sessions
    try:
        return _session(ask(lambda: sessions.expire(session_id, {"expand": WITH_PAYMENT})))
    except ProviderRejected as error:
        raise SessionNotOpen(str(error), code=error.code, param=error.param) from error


def list_sessions(
    *, since: datetime | None = None, until: datetime | None = None, status: str = "", payment_intent_id: str = ""
) -> Iterator[CheckoutSession]:
    """Sessions created within a time, in a status or of one intent; newest first, without their charges."""
    params: dict[str, Any] = {"limit": PAGE}
    if since or until:
        limits = (("gte", since), ("lte", until))
        params["created"] = {name: int(moment.timestamp()) for name, moment in limits if moment}
    if status:
        params["status"] = status
    if payment_intent_id:
        params["payment_intent"] = payment_intent_id
    sessions = client().v1.checkout.sessions
    return (_session(raw) for raw in ask_for_all(lambda: sessions.list(params)))  # type: ignore[arg-type]


def _session_params(request: SessionRequest) -> SessionCreateParams:
    params: SessionCreateParams = {
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
    if request.takes_promotion_codes:
        params["allow_promotion_codes"] = True
    return params


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
    charge = {"id": charge} if isinstance(charge, str) else charge or {}
    details = raw.get("total_details") or {}
    return CheckoutSession(
        id=raw["id"],
        url=raw.get("url") or "",
        status=raw.get("status") or "",
        payment_status=raw.get("payment_status") or "",
        mode=raw.get("mode") or "",
        livemode=raw["livemode"],
        currency=(raw.get("currency") or "").lower(),
        amount_subtotal_minor=raw.get("amount_subtotal") or 0,
        amount_total_minor=raw.get("amount_total") or 0,
        discount_minor=details.get("amount_discount") or 0,
        tax_minor=details.get("amount_tax") or 0,
        takes_promotion_codes=bool(raw.get("allow_promotion_codes")),
        client_reference_id=raw.get("client_reference_id") or "",
        metadata=raw.get("metadata") or {},
        created_at=as_time(raw["created"]),
        expires_at=as_time(raw["expires_at"]),
        payment_intent_id=intent.get("id"),
        payment_intent_status=intent.get("status") or "",
        charge_id=id_of(charge),
        charged_at=as_time(charge["created"]) if charge.get("created") else None,
        is_refunded=bool(charge.get("amount_refunded")),
        is_disputed=bool(charge.get("disputed")),
    )
