"""What Stripe demands of a request for a Checkout Session beyond names and types, and the session that comes of it.

https://docs.stripe.com/api/checkout/sessions/create
"""

from typing import Any

from sandbox.store import Record
from sandbox.stripe import money
from sandbox.stripe.catalogue import Catalogue
from sandbox.stripe.errors import StripeError
from sandbox.stripe.ids import new_id
from sandbox.stripe.limits import check_address, check_email, check_length, check_metadata
from sandbox.stripe.resources import line_item

SHORTEST_S, LONGEST_S = 30 * 60, 24 * 60 * 60
MOST_LINE_ITEMS = 100
NOT_ACTED_ON = frozenset({
    "after_expiration", "branding_settings", "custom_fields", "customer_account", "name_collection",
    "optional_items", "payment_method_collection", "payment_method_configuration", "payment_method_data",
    "payment_method_options", "permissions", "redirect_on_completion", "return_url", "saved_payment_method_options",
    "setup_intent_data", "shipping_address_collection", "shipping_options", "subscription_data", "wallet_options",
})  # fmt: skip


def check_session(data: dict[str, Any], *, now: int) -> None:
    """Raises StripeError for the first rule that the (well-typed) parameters break."""
    for name in data:
        if name in NOT_ACTED_ON:
            raise StripeError(f"The sandbox does not know {name} of a Checkout Session.", param=name)
    if data.get("managed_payments", {}).get("enabled"):
        raise StripeError("The sandbox does not know managed payments.", param="managed_payments[enabled]")
    _check_mode(data)
    _check_addresses(data)
    expires_at = data.get("expires_at", now + LONGEST_S)
    if expires_at < now + SHORTEST_S:
        message = "The `expires_at` timestamp must be at least 30 minutes from Checkout Session creation."
        raise StripeError(message, param="expires_at")
    if expires_at > now + LONGEST_S:
        message = "The `expires_at` timestamp must be less than 24 hours from Checkout Session creation."
        raise StripeError(message, param="expires_at")
    if "customer" in data and ("customer_email" in data or "customer_creation" in data):
        other = "customer_email" if "customer_email" in data else "customer_creation"
        message = f"You may only specify one of these parameters: customer, {other}."
        raise StripeError(message, code="parameters_exclusive", param="customer")
    if "discounts" in data and "allow_promotion_codes" in data:
        message = "You may only specify one of these parameters: allow_promotion_codes, discounts."
        raise StripeError(message, code="parameters_exclusive", param="discounts")
    if "customer_email" in data:
        check_email(data["customer_email"], param="customer_email")
    check_length(data.get("client_reference_id", ""), 200, param="client_reference_id")
    check_metadata(data.get("metadata"), param="metadata")
    check_metadata(data.get("payment_intent_data", {}).get("metadata"), param="payment_intent_data[metadata]")


def _check_mode(data: dict[str, Any]) -> None:
    if "mode" not in data:
        raise StripeError("Missing required param: mode.", code="parameter_missing", param="mode")
    if data["mode"] != "payment":
        raise StripeError(f"The sandbox does not know Checkout Sessions of mode {data['mode']}.", param="mode")
    if data.get("ui_mode", "hosted_page") != "hosted_page":
        raise StripeError(f"The sandbox shows hosted pages only, not {data['ui_mode']}.", param="ui_mode")
    items = data.get("line_items")
    if not items:
        message = "Missing required param: line_items."
        raise StripeError(message, code="parameter_missing", param="line_items")
    if len(items) > MOST_LINE_ITEMS:
        raise StripeError(f"Array line_items exceeded maximum {MOST_LINE_ITEMS} allowed elements.", param="line_items")


def _check_addresses(data: dict[str, Any]) -> None:
    if "success_url" not in data:
        raise StripeError("Missing required param: success_url.", code="parameter_missing", param="success_url")
    for name in ("success_url", "cancel_url"):
        if name in data:
            check_address(data[name], param=name)


def build_line_items(data: list[dict[str, Any]], catalogue: Catalogue) -> list[Record]:
    """The session's line items, their prices and products made where the request describes them inline."""
    items = []
    for index, sent in enumerate(data):
        at = f"line_items[{index}]"
        if ("price" in sent) == ("price_data" in sent):
            message = f"You must specify either `price` or `price_data` for {at}."
            raise StripeError(message, code="parameter_missing", param=at)
        if sent.get("quantity", 0) < 1:
            message = f"Missing or invalid quantity: {at}[quantity] must be greater than or equal to 1."
            raise StripeError(message, code="parameter_invalid_integer", param=f"{at}[quantity]")
        if "price" in sent:
            price = catalogue.price(sent["price"], param=f"{at}[price]")
        else:
            price = catalogue.create_price(sent["price_data"], param=f"{at}[price_data]", is_inline=True)
        if price["recurring"]:
            message = "You specified `payment` mode but passed a recurring price."
            raise StripeError(message, param=at)
        items.append(line_item(price, catalogue.product_of(price), sent["quantity"]))
    if len({item["currency"] for item in items}) > 1:
        raise StripeError("All line items must have the same currency.", param="line_items")
    return items


def method_types(data: dict[str, Any], currency: str) -> list[str]:
    """The ways to pay that are left after the request's filters: card, and a bank debit where the currency has one."""
    offered = ["card", *([money.BANK_DEBITS[currency]] if currency in money.BANK_DEBITS else [])]
    allowed = data.get("allowed_payment_method_types") or offered
    excluded = data.get("excluded_payment_method_types") or ()
    left = [kind for kind in offered if kind in allowed and kind not in excluded]
    if not left:
        message = "No valid payment method types for this Checkout Session."
        raise StripeError(message, param="allowed_payment_method_types")
    return left


def build_session(data: dict[str, Any], items: list[Record], *, base_url: str, now: int) -> Record:
    """A new open session; raises StripeError when its total cannot be charged."""
    currency = items[0]["currency"]
    total = sum(item["amount_total"] for item in items)
    money.check_total(total, currency)
    session_id = new_id("cs_test", length=58)
    return {
        "id": session_id,
        "object": "checkout.session",
        "adaptive_pricing": data.get("adaptive_pricing"),
        "after_expiration": None,
        "allow_promotion_codes": data.get("allow_promotion_codes"),
        "amount_subtotal": total,
        "amount_total": total,
        "automatic_tax": _automatic_tax(data),
        "billing_address_collection": data.get("billing_address_collection"),
        "cancel_url": data.get("cancel_url"),
        "client_reference_id": data.get("client_reference_id"),
        "client_secret": None,
        "collected_information": None,
        "consent": None,
        "consent_collection": _consent_collection(data),
        "created": now,
        "currency": currency,
        "currency_conversion": None,
        "custom_fields": [],
        "custom_text": {name: data.get("custom_text", {}).get(name) or None for name in CUSTOM_TEXTS},
        "customer": data.get("customer"),
        "customer_creation": None if "customer" in data else data.get("customer_creation", "if_required"),
        "customer_details": _customer_details(data),
        "customer_email": data.get("customer_email"),
        "discounts": [],
        "expires_at": data.get("expires_at", now + LONGEST_S),
        "invoice": None,
        "invoice_creation": _invoice_creation(data),
        "livemode": False,
        "locale": data.get("locale"),
        "managed_payments": data.get("managed_payments"),
        "metadata": data.get("metadata") or {},
        "mode": "payment",
        "origin_context": data.get("origin_context"),
        "payment_intent": None,
        "payment_link": None,
        "payment_method_collection": "if_required",
        "payment_method_configuration_details": None,
        "payment_method_options": {},
        "payment_method_types": method_types(data, currency),
        "payment_status": "unpaid" if total else "no_payment_required",
        "permissions": None,
        "phone_number_collection": data.get("phone_number_collection", {"enabled": False}),
        "recovered_from": None,
        "saved_payment_method_options": None,
        "setup_intent": None,
        "shipping_address_collection": None,
        "shipping_cost": None,
        "shipping_options": [],
        "status": "open",
        "submit_type": data.get("submit_type"),
        "subscription": None,
        "success_url": data["success_url"],
        "tax_id_collection": _tax_id_collection(data),
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
        "ui_mode": "hosted_page",
        "url": f"{base_url}/stripe/c/pay/{session_id}",
        "wallet_options": None,
    }


CUSTOM_TEXTS = ("after_submit", "shipping_address", "submit", "terms_of_service_acceptance")


def _automatic_tax(data: dict[str, Any]) -> Record:
    is_on = data.get("automatic_tax", {}).get("enabled", False)
    return {
        "enabled": is_on,
        "liability": {"type": "self"} if is_on else None,
        "provider": "stripe" if is_on else None,
        "status": "requires_location_inputs" if is_on else None,
    }


def _consent_collection(data: dict[str, Any]) -> Record | None:
    wanted = data.get("consent_collection")
    return (
        {"payment_method_reuse_agreement": None, "promotions": "none", "terms_of_service": "none"} | wanted
        if wanted
        else None
    )


def _customer_details(data: dict[str, Any]) -> Record | None:
    email = data.get("customer_email")
    if not email:
        return None
    return {"address": None, "email": email, "name": None, "phone": None, "tax_exempt": "none", "tax_ids": None}


def _invoice_creation(data: dict[str, Any]) -> Record:
    wanted = data.get("invoice_creation", {})
    details = {"account_tax_ids": None, "custom_fields": None, "description": None, "footer": None, "issuer": None}
    details |= {"metadata": {}, "rendering_options": None} | wanted.get("invoice_data", {})
    return {"enabled": wanted.get("enabled", False), "invoice_data": details}


def _tax_id_collection(data: dict[str, Any]) -> Record | None:
    wanted = data.get("tax_id_collection")
    return {"required": "never"} | wanted if wanted else None
