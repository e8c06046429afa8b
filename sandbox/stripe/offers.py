"""New objects of what makes things cheaper in the shape of Stripe's answers."""

from typing import Any

from sandbox.store import Record
from sandbox.stripe.ids import new_id


def coupon(data: dict[str, Any], *, now: int) -> Record:
    percent_off = data.get("percent_off")
    return {
        "id": data.get("id") or _code(),
        "object": "coupon",
        "amount_off": data.get("amount_off"),
        "created": now,
        "currency": data["currency"].lower() if "amount_off" in data else None,
        "duration": data.get("duration", "once"),
        "duration_in_months": data.get("duration_in_months"),
        "livemode": False,
        "max_redemptions": data.get("max_redemptions"),
        "metadata": data.get("metadata") or {},
        "name": data.get("name"),
        "percent_off": None if percent_off is None else float(percent_off),
        "redeem_by": data.get("redeem_by"),
        "times_redeemed": 0,
        "valid": True,
    }


def promotion_code(data: dict[str, Any], *, now: int) -> Record:
    none = {"first_time_transaction": False, "minimum_amount": None, "minimum_amount_currency": None}
    return {
        "id": new_id("promo"),
        "object": "promotion_code",
        "active": data.get("active", True),
        "code": data.get("code") or _code(),
        "created": now,
        "customer": data.get("customer"),
        "expires_at": data.get("expires_at"),
        "livemode": False,
        "max_redemptions": data.get("max_redemptions"),
        "metadata": data.get("metadata") or {},
        "promotion": data["promotion"],
        "restrictions": none | data.get("restrictions", {}),
        "times_redeemed": 0,
    }


def _code() -> str:
    return new_id("x", length=8)[2:].upper()
