"""New objects in the shape of Stripe's answers; what is not set here is optional in the SDK's annotations."""

from typing import Any
from urllib.parse import quote

from sandbox.store import Record
from sandbox.stripe.cards import Card
from sandbox.stripe.ids import new_id


def product(data: dict[str, Any], *, now: int) -> Record:
    return {
        "id": new_id("prod", length=14),
        "object": "product",
        "active": data.get("active", True),
        "created": now,
        "default_price": None,
        "description": data.get("description"),
        "images": data.get("images") or [],
        "livemode": False,
        "marketing_features": [],
        "metadata": data.get("metadata") or {},
        "name": data["name"],
        "package_dimensions": None,
        "shippable": None,
        "statement_descriptor": data.get("statement_descriptor"),
        "tax_code": data.get("tax_code"),
        "type": "service",
        "unit_label": data.get("unit_label"),
        "updated": now,
        "url": data.get("url"),
    }


def price(data: dict[str, Any], *, product_id: str, now: int, active: bool = True) -> Record:
    recurring = data.get("recurring")
    return {
        "id": new_id("price"),
        "object": "price",
        "active": active,
        "billing_scheme": "per_unit",
        "created": now,
        "currency": data["currency"].lower(),
        "custom_unit_amount": None,
        "livemode": False,
        "lookup_key": data.get("lookup_key"),
        "metadata": data.get("metadata") or {},
        "nickname": data.get("nickname"),
        "product": product_id,
        "recurring": {"interval_count": 1, "usage_type": "licensed"} | recurring if recurring else None,
        "tax_behavior": data.get("tax_behavior", "unspecified"),
        "tiers_mode": None,
        "transform_quantity": None,
        "type": "recurring" if recurring else "one_time",
        "unit_amount": data["unit_amount"],
        "unit_amount_decimal": str(data["unit_amount"]),
    }


def customer(data: dict[str, Any], *, now: int) -> Record:
    return {
        "id": new_id("cus", length=14),
        "object": "customer",
        "address": None,
        "balance": 0,
        "created": now,
        "currency": None,
        "default_source": None,
        "delinquent": False,
        "description": data.get("description"),
        "email": data.get("email"),
        "invoice_prefix": new_id("x", length=8)[2:].upper(),
        "invoice_settings": {
            "custom_fields": None,
            "default_payment_method": None,
            "footer": None,
            "rendering_options": None,
        },
        "livemode": False,
        "metadata": data.get("metadata") or {},
        "name": data.get("name"),
        "next_invoice_sequence": 1,
        "phone": data.get("phone"),
        "preferred_locales": [],
        "shipping": None,
        "tax_exempt": "none",
        "test_clock": None,
    }


def line_item(item_price: Record, item_product: Record, quantity: int) -> Record:
    amount = item_price["unit_amount"] * quantity
    return {
        "id": new_id("li"),
        "object": "item",
        "amount_discount": 0,
        "amount_subtotal": amount,
        "amount_tax": 0,
        "amount_total": amount,
        "currency": item_price["currency"],
        "description": item_product["name"],
        "price": item_price,
        "quantity": quantity,
    }


def payment_intent(session: Record, data: dict[str, Any], *, method_types: list[str], now: int) -> Record:
    """The intent of one session; `data` is the session's `payment_intent_data`, the only source of its metadata."""
    intent_id = new_id("pi")
    return {
        "id": intent_id,
        "object": "payment_intent",
        "amount": session["amount_total"],
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "application": None,
        "application_fee_amount": None,
        "automatic_payment_methods": None,
        "canceled_at": None,
        "cancellation_reason": None,
        "capture_method": "automatic_async",
        "client_secret": new_id(f"{intent_id}_secret"),
        "confirmation_method": "automatic",
        "created": now,
        "currency": session["currency"],
        "customer": session["customer"],
        "description": data.get("description"),
        "last_payment_error": None,
        "latest_charge": None,
        "livemode": False,
        "metadata": data.get("metadata") or {},
        "next_action": None,
        "on_behalf_of": None,
        "payment_method": None,
        "payment_method_types": method_types,
        "processing": None,
        "receipt_email": data.get("receipt_email"),
        "review": None,
        "setup_future_usage": data.get("setup_future_usage"),
        "shipping": None,
        "source": None,
        "statement_descriptor": data.get("statement_descriptor"),
        "statement_descriptor_suffix": data.get("statement_descriptor_suffix"),
        "status": "requires_payment_method",
        "transfer_data": None,
        "transfer_group": data.get("transfer_group"),
    }


def payment_method(data: dict[str, Any], *, now: int) -> Record:
    unknown = {"address": EMPTY_ADDRESS, "email": None, "name": None, "phone": None, "tax_id": None}
    return {
        "id": new_id("pm"),
        "object": "payment_method",
        "billing_details": unknown | data.get("billing_details", {}),
        "created": now,
        "customer": None,
        "livemode": False,
        "metadata": data.get("metadata") or {},
        "type": data.get("type", "card"),
    }


def charge(intent: Record, *, email: str | None, name: str | None, details: Record, status: str, now: int) -> Record:
    """One try to take the money of an intent; `status` is succeeded, pending or failed."""
    has_succeeded = status == "succeeded"
    return {
        "id": new_id("ch"),
        "object": "charge",
        "amount": intent["amount"],
        "amount_captured": intent["amount"] if has_succeeded else 0,
        "amount_refunded": 0,
        "application": None,
        "application_fee": None,
        "application_fee_amount": None,
        "balance_transaction": new_id("txn") if has_succeeded else None,
        "billing_details": {"address": EMPTY_ADDRESS, "email": email, "name": name, "phone": None, "tax_id": None},
        "calculated_statement_descriptor": "11TUTORS SANDBOX",
        "captured": has_succeeded,
        "created": now,
        "currency": intent["currency"],
        "customer": intent["customer"],
        "description": intent["description"],
        "disputed": False,
        "failure_balance_transaction": None,
        "failure_code": None,
        "failure_message": None,
        "fraud_details": {},
        "livemode": False,
        "metadata": dict(intent["metadata"]),
        "on_behalf_of": None,
        "outcome": OUTCOMES[status],
        "paid": has_succeeded,
        "payment_intent": intent["id"],
        "payment_method": new_id("pm"),
        "payment_method_details": details,
        "receipt_email": intent["receipt_email"],
        "receipt_number": None,
        "receipt_url": None,
        "refunded": False,
        "review": None,
        "shipping": None,
        "source": None,
        "source_transfer": None,
        "statement_descriptor": intent["statement_descriptor"],
        "statement_descriptor_suffix": intent["statement_descriptor_suffix"],
        "status": status,
        "transfer_data": None,
        "transfer_group": intent["transfer_group"],
    }


EMPTY_ADDRESS = {"city": None, "country": None, "line1": None, "line2": None, "postal_code": None, "state": None}
OUTCOMES = {
    "succeeded": {
        "network_status": "approved_by_network",
        "reason": None,
        "risk_level": "normal",
        "risk_score": 12,
        "seller_message": "Payment complete.",
        "type": "authorized",
    },
    "pending": None,
    "failed": {
        "network_status": "declined_by_network",
        "reason": "generic_decline",
        "risk_level": "normal",
        "risk_score": 12,
        "seller_message": "The bank did not return any further details with this decline.",
        "type": "issuer_declined",
    },
}


def card_details(card: Card, *, year: int) -> Record:
    return {
        "type": "card",
        "card": {
            "brand": card.brand,
            "checks": {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"},
            "country": "US",
            "exp_month": 12,
            "exp_year": year,
            "fingerprint": new_id("x", length=16)[2:],
            "funding": "credit",
            "installments": None,
            "last4": card.last4,
            "mandate": None,
            "network": card.brand,
            "three_d_secure": None,
            "wallet": None,
        },
    }


def bank_details(kind: str) -> Record:
    """Details of a bank debit: us_bank_account, sepa_debit or bacs_debit, of an account that ends in 6789."""
    return {"type": kind, kind: {"fingerprint": new_id("x", length=16)[2:], "last4": "6789"}}


def event(kind: str, subject: Record, *, api_version: str, livemode: bool, pending_webhooks: int, now: int) -> Record:
    return {
        "id": new_id("evt"),
        "object": "event",
        "api_version": api_version,
        "created": now,
        "data": {"object": subject},
        "livemode": livemode,
        "pending_webhooks": pending_webhooks,
        "request": {"id": None, "idempotency_key": None},
        "type": kind,
    }


def webhook_endpoint(url: str, enabled_events: list[str], *, api_version: str, status: str) -> Record:
    return {
        "id": "we_sandbox11tutors",
        "object": "webhook_endpoint",
        "api_version": api_version,
        "application": None,
        "created": 0,
        "description": None,
        "enabled_events": enabled_events,
        "livemode": False,
        "metadata": {},
        "status": status,
        "url": url,
    }


def listing(items: list[Record], *, path: str, has_more: bool) -> Record:
    return {"object": "list", "data": items, "has_more": has_more, "url": quote(path)}
