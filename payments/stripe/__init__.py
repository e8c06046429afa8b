"""The border to Stripe: the only importer of its SDK. What leaves this package is ours: dataclasses and own errors."""

from payments.stripe.client import api_version, server_time
from payments.stripe.events import list_endpoints, list_undelivered, verify_event
from payments.stripe.money_back import (
    create_refund,
    intent_metadata,
    intent_of,
    list_disputes,
    list_refunds,
    read,
    receipt_url,
)
from payments.stripe.sessions import create_session, expire_session, list_sessions, retrieve_session
from payments.stripe.types import (
    CheckoutSession,
    DisputeState,
    Endpoint,
    Event,
    Line,
    Outcome,
    Reading,
    RefundRequest,
    RefundState,
    SessionRequest,
)

__all__ = [
    "CheckoutSession",
    "DisputeState",
    "Endpoint",
    "Event",
    "Line",
    "Outcome",
    "Reading",
    "RefundRequest",
    "RefundState",
    "SessionRequest",
    "api_version",
    "create_refund",
    "create_session",
    "expire_session",
    "intent_metadata",
    "intent_of",
    "list_disputes",
    "list_endpoints",
    "list_refunds",
    "list_sessions",
    "list_undelivered",
    "read",
    "receipt_url",
    "retrieve_session",
    "server_time",
    "verify_event",
]
