"""What Stripe says, in our words. Amounts are in minor units, currencies in lower case."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any


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
    takes_promotion_codes: bool = False


@dataclass(frozen=True, kw_only=True)
class CheckoutSession:
    """A checkout session as Stripe has it now, with what matters of its intent and charge."""

    id: str
    url: str
    status: str
    payment_status: str
    mode: str
    livemode: bool
    currency: str
    amount_subtotal_minor: int
    amount_total_minor: int
    discount_minor: int
    tax_minor: int
    takes_promotion_codes: bool
    client_reference_id: str
    metadata: dict[str, str] = field(repr=False)
    created_at: datetime
    expires_at: datetime
    payment_intent_id: str | None
    payment_intent_status: str
    charge_id: str
    charged_at: datetime | None
    is_refunded: bool
    is_disputed: bool

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
class RefundRequest:
    """What a refund is made from; without an amount everything that is left is given back."""

    payment_intent_id: str
    amount_minor: int | None
    reason: str
    metadata: dict[str, str]
    idempotency_key: str


@dataclass(frozen=True, kw_only=True)
class RefundState:
    """A refund as Stripe has it now; `status` and `reason` are Stripe's words."""

    id: str
    status: str
    amount_minor: int
    currency: str
    reason: str
    failure_reason: str
    failed_at: datetime | None
    payment_intent_id: str
    metadata: dict[str, str] = field(repr=False)
    created_at: datetime


@dataclass(frozen=True, kw_only=True)
class DisputeState:
    """A dispute as Stripe has it now; `status` and `reason` are Stripe's words."""

    id: str
    status: str
    amount_minor: int
    currency: str
    reason: str
    is_refundable: bool
    answer_due_at: datetime | None
    payment_intent_id: str
    created_at: datetime


@dataclass(frozen=True, kw_only=True)
class Reading:
    """All that Stripe knows of one payment, read within one moment."""

    session: CheckoutSession
    refunds: tuple[RefundState, ...] = ()
    disputes: tuple[DisputeState, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Event:
    """A verified event, full or thin. `data` is the raw object that it is about, empty when the event is thin."""

    id: str
    type: str
    livemode: bool
    api_version: str
    created_at: datetime
    object_id: str
    data: dict[str, Any] = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """A webhook endpoint of the account."""

    url: str
    api_version: str
    is_enabled: bool
    events: tuple[str, ...]
