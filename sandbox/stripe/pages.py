"""The hosted checkout page: what a buyer sees between our shop and its landing page."""

from collections.abc import Callable

import flask

from sandbox.store import Record
from sandbox.stripe import money
from sandbox.stripe.checkout import Buyer
from sandbox.stripe.errors import StripeError
from sandbox.stripe.ledger import CHARGES
from sandbox.stripe.stand_in import StripeSandbox

WAIT_FOR_WEBHOOK_S = 10
PLACEHOLDER = "{CHECKOUT_SESSION_ID}"
CLOSED = {
    "complete": ("This payment is done", "The checkout session is complete. There is nothing more to pay here."),
    "expired": (
        "This page has expired",
        "The checkout session is no longer open. Go back to the shop and start again.",
    ),
}


def create_pages(sandbox: StripeSandbox) -> flask.Blueprint:
    pages = flask.Blueprint("stripe_pages", __name__, template_folder="templates")

    @pages.get("/c/pay/<session_id>")
    def show(session_id: str) -> flask.Response:
        return _with_session(sandbox, session_id, lambda session: _form(sandbox, session, {}))

    @pages.post("/c/pay/<session_id>")
    def submit(session_id: str) -> flask.Response:
        return _with_session(sandbox, session_id, lambda session: act(session, flask.request.form))

    def act(session: Record, form: dict[str, str]) -> flask.Response:
        return _apply(sandbox, session, form) if "promotion_code" in form else _pay(sandbox, session, form)

    @pages.get("/receipts/<charge_id>")
    def receipt(charge_id: str) -> flask.Response:
        charge = sandbox.context.store.get(CHARGES, charge_id)
        if charge is None or not charge["paid"]:
            return _page("stripe_closed.html", 404, title="No such page", text="This receipt does not exist.")
        currency = charge["currency"]
        return _page(
            "stripe_receipt.html",
            200,
            charge=charge,
            amount=money.display(charge["amount"], currency),
            refunded=money.display(charge["amount_refunded"], currency) if charge["amount_refunded"] else "",
        )

    return pages


def landing_address(session: Record) -> str:
    """Where the buyer goes after paying; only the literal placeholder is replaced, never an escaped one."""
    return str(session["success_url"]).replace(PLACEHOLDER, session["id"])


def _with_session(
    sandbox: StripeSandbox, session_id: str, answer: Callable[[Record], flask.Response]
) -> flask.Response:
    try:
        session = sandbox.session(session_id)
    except StripeError:
        return _page("stripe_closed.html", 404, title="No such page", text="This checkout session does not exist.")
    if session["status"] != "open":
        return _closed(session)
    return answer(session)


def _closed(session: Record) -> flask.Response:
    title, text = CLOSED[session["status"]]
    onward = landing_address(session) if session["status"] == "complete" else session["cancel_url"]
    return _page("stripe_closed.html", 200, title=title, text=text, onward=onward)


def _pay(sandbox: StripeSandbox, session: Record, form: dict[str, str]) -> flask.Response:
    buyer = Buyer(email=form.get("email") or _known_email(sandbox, session), name=form.get("name") or None)
    try:
        if _needs_terms(session) and not form.get("terms"):
            raise StripeError("Accept the terms of service to go on.", status=402)
        paid = _take(sandbox, session, form, buyer)
    except StripeError as error:
        if sandbox.session(session["id"])["status"] != "open":
            return _closed(sandbox.session(session["id"]))
        return _form(sandbox, session, form, error=error.message, status=402)
    return _page_redirect(landing_address(paid))


def _apply(sandbox: StripeSandbox, session: Record, form: dict[str, str]) -> flask.Response:
    try:
        return _form(sandbox, sandbox.apply_promotion_code(session["id"], form["promotion_code"]), form)
    except StripeError as error:
        return _form(sandbox, session, form, error=error.message, status=402)


def _take(sandbox: StripeSandbox, session: Record, form: dict[str, str], buyer: Buyer) -> Record:
    wait_s = WAIT_FOR_WEBHOOK_S
    if not session["amount_total"]:
        return sandbox.checkout.complete_free(session["id"], buyer, wait_s=wait_s)
    if form.get("payment_method") == "bank_debit":
        return sandbox.checkout.pay_by_bank_debit(session["id"], buyer, wait_s=wait_s)
    return sandbox.checkout.pay_by_card(session["id"], form.get("card_number", ""), buyer, wait_s=wait_s)


def _form(
    sandbox: StripeSandbox, session: Record, form: dict[str, str], *, error: str = "", status: int = 200
) -> flask.Response:
    currency = session["currency"]
    items = [
        {
            "name": item["description"],
            "amount": money.display(item["amount_subtotal"], currency),
            "quantity": item["quantity"],
            "product": sandbox.catalogue.product_of(item["price"]),
        }
        for item in sandbox.checkout.line_items(session["id"])
    ]
    email = _known_email(sandbox, session)
    return _page(
        "stripe_checkout.html",
        status,
        session=session,
        items=items,
        total=money.display(session["amount_total"], currency),
        discount=money.display(session["total_details"]["amount_discount"], currency) if session["discounts"] else "",
        email=form.get("email") or email or "",
        is_email_fixed=bool(session["customer"] and email),
        form=form,
        error=error,
        has_bank_debit=any(kind != "card" for kind in session["payment_method_types"]),
        has_card="card" in session["payment_method_types"],
        needs_terms=_needs_terms(session),
    )


def _known_email(sandbox: StripeSandbox, session: Record) -> str | None:
    if session["customer"]:
        return sandbox.catalogue.customer(session["customer"], param="customer")["email"]
    return session["customer_email"]


def _needs_terms(session: Record) -> bool:
    return (session["consent_collection"] or {}).get("terms_of_service") == "required"


def _page(template: str, status: int, **values: object) -> flask.Response:
    response = flask.make_response(flask.render_template(template, **values), status)
    response.headers["Cache-Control"] = "no-store"
    return response


def _page_redirect(address: str) -> flask.Response:
    response = flask.redirect(address, code=303)
    response.headers["Cache-Control"] = "no-store"
    return flask.make_response(response)
