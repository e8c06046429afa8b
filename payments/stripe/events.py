"""Webhook deliveries and the list of events, in full and thin form alike: https://docs.stripe.com/event-destinations"""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import stripe

from payments import configuration
from payments.errors import WebhookRejected
from payments.stripe.client import PAGE, as_time, ask_for_all, client
from payments.stripe.types import Endpoint, Event

SIGNATURE_AGE_S = 300
THIN = "v2.core.event"
# A thin event about an object of the first API carries that API's version before its usual name.
THIN_PREFIX = "v1."
MOST_TYPES = 20
# As the columns of WebhookEvent are.
LONGEST_ID, LONGEST_TYPE, LONGEST_VERSION = 255, 100, 64


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


def list_undelivered(*, types: Sequence[str], since: datetime) -> Iterator[Event]:
    """Events of these types that some endpoint has not accepted, newest first; Stripe keeps them for 30 days."""
    events = client().v1.events
    for start in range(0, len(types), MOST_TYPES):
        some = list(types[start : start + MOST_TYPES])
        created = {"gte": int(since.timestamp())}
        yield from (
            _event(raw)
            for raw in ask_for_all(
                lambda some=some, created=created: events.list(  # type: ignore[misc]
                    {"types": some, "delivery_success": False, "created": created, "limit": PAGE}
                )
            )
        )


def list_endpoints() -> Iterator[Endpoint]:
    """The account's webhook endpoints, of this key's mode."""
    endpoints = client().v1.webhook_endpoints
    for raw in ask_for_all(lambda: endpoints.list({"limit": PAGE})):
        yield Endpoint(
            url=raw["url"],
            api_version=raw.get("api_version") or "",
            is_enabled=raw.get("status") == "enabled",
            events=tuple(raw.get("enabled_events") or ()),
        )


def _event(raw: dict[str, Any]) -> Event:
    if raw.get("object") == THIN:
        return _thin_event(raw)
    data = raw["data"]["object"]
    return Event(
        id=_word(raw["id"], least=1),
        type=_word(raw["type"], most=LONGEST_TYPE),
        livemode=raw["livemode"] is True,
        api_version=_word(raw.get("api_version") or "", most=LONGEST_VERSION),
        created_at=as_time(raw["created"]),
        object_id=_word(data["id"]),
        data=dict(data),
    )


def _thin_event(raw: dict[str, Any]) -> Event:
    related = raw.get("related_object") or {}
    return Event(
        id=_word(raw["id"], least=1),
        type=_word(raw["type"], most=LONGEST_TYPE).removeprefix(THIN_PREFIX),
        livemode=raw["livemode"] is True,
        api_version="",
        created_at=_iso_time(raw["created"]),
        object_id=_word(related.get("id") or ""),
        data={},
    )


def _iso_time(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a time without its zone")
    return moment.astimezone(UTC)


def _word(value: Any, *, most: int = LONGEST_ID, least: int = 0) -> str:
    """An id or a type, which has to fit its column; raises ValueError for anything else."""
    word = str(value)
    if not least <= len(word) <= most or not word.isprintable():
        raise ValueError("neither an id nor a type")
    return word
