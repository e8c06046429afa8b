"""What Stripe's command line needs for its triggers: card payments without a page, and pages paid without a browser.

`stripe trigger charge.refunded --api-base http://127.0.0.1:PORT --api-key sk_test_…` runs Stripe's own fixtures. The
`payment_pages` addresses are in no documentation: they are known from those fixtures only.
"""

from typing import Any, NotRequired, TypedDict

import flask
from stripe.params import PaymentIntentCreateParams, PaymentMethodCreateParams

from sandbox.store import Record
from sandbox.stripe import cards, resources
from sandbox.stripe.checkout import Buyer
from sandbox.stripe.errors import StripeError, missing_object
from sandbox.stripe.ledger import PAYMENT_METHODS
from sandbox.stripe.protocol import view
from sandbox.stripe.stand_in import StripeSandbox

Data = dict[str, Any]
FAILING_IBANS = frozenset(["AT861904300235473202", "IT60X0542811101000000123456"])
NUMBERS = {
    "pm_card_visa": "4242424242424242",
    "pm_card_chargeDeclined": "4000000000000002",
    "pm_card_createDispute": cards.FRAUDULENT_DISPUTE,
    "pm_card_createDisputeInquiry": cards.INQUIRY,
}
KNOWN = frozenset(["amount", "confirm", "currency", "description", "metadata", "payment_method", "receipt_email"])


class PageParams(TypedDict):
    expand: NotRequired[list[str]]


class ConfirmParams(TypedDict):
    payment_method: str
    expected_amount: NotRequired[int]


def add_routes(api: flask.Blueprint, sandbox: StripeSandbox) -> None:
    """Put the command line's addresses beside the documented ones."""
    store, checkout = sandbox.context.store, sandbox.checkout

    def pay_directly(data: Data) -> Record:
        for name in data.keys() - KNOWN:
            raise StripeError(f"The sandbox does not know {name} of a PaymentIntent.", param=name)
        number = NUMBERS.get(data.get("payment_method", ""))
        if not data.get("confirm") or number is None:
            known = ", ".join(NUMBERS)
            raise StripeError(f"The sandbox makes PaymentIntents only confirmed, by one of {known}.", param="confirm")
        return checkout.pay_directly(data, number)

    def create_method(data: Data) -> Record:
        made = resources.payment_method(data, now=sandbox.settings.now())
        store.put(PAYMENT_METHODS, made["id"], made | {"iban": data.get("sepa_debit", {}).get("iban")})
        return made

    def show_page(data: Data, id: str) -> Record:
        session = checkout.session(id)
        return {"object": "payment_page", "session_id": id, "amount_total": session["amount_total"]}

    def confirm_page(data: Data, id: str) -> Record:
        session, method = checkout.session(id), store.get(PAYMENT_METHODS, data["payment_method"])
        if method is None:
            raise missing_object("PaymentMethod", data["payment_method"], param="payment_method", status=400)
        if data.get("expected_amount", session["amount_total"]) != session["amount_total"]:
            raise StripeError("The amount is not what was expected.", param="expected_amount")
        buyer = Buyer(email=method["billing_details"]["email"], name=method["billing_details"]["name"])
        if method["type"] == "card":
            checkout.pay_by_card(id, NUMBERS["pm_card_visa"], buyer)
        else:
            checkout.pay_by_bank_debit(id, buyer)
            checkout.settle(id, "failed" if method["iban"] in FAILING_IBANS else "succeeded")
        return show_page(data, id)

    pages = "/payment_pages/<id>"
    for method, rule, parameters, handler, is_documented in (
        ("POST", "/payment_intents", PaymentIntentCreateParams, pay_directly, True),
        ("POST", "/payment_methods", PaymentMethodCreateParams, create_method, True),
        ("GET", pages, PageParams, show_page, False),
        ("POST", f"{pages}/confirm", ConfirmParams, confirm_page, False),
    ):
        called = view(sandbox, handler, parameters, is_documented=is_documented)
        api.add_url_rule(rule, f"command_line_{handler.__name__}", called, methods=[method])
