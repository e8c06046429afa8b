from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from sandbox.context import SandboxContext
from sandbox.store import Record, Where
from sandbox.stripe import resources
from sandbox.stripe.cards import Card, Decline, read_card
from sandbox.stripe.catalogue import Catalogue
from sandbox.stripe.discounts import Discounts
from sandbox.stripe.errors import StripeError, missing_object
from sandbox.stripe.ledger import CARDS, CHARGES, DETAILS, INTENTS, SESSIONS, Ledger, News
from sandbox.stripe.session_request import build_line_items, build_session, check_session


@dataclass(frozen=True, kw_only=True)
class Buyer:
    """What a buyer typed beside the means of payment."""

    email: str | None = None
    name: str | None = None


class Checkout:
    """The life of Checkout Sessions and of the intents and charges behind them: open, then complete or expired."""

    def __init__(
        self,
        context: SandboxContext,
        catalogue: Catalogue,
        discounts: Discounts,
        ledger: Ledger,
        on_card_paid: Callable[[Card, Record], object] = lambda card, charge: None,
    ) -> None:
        """`on_card_paid` is called with the card and its charge once everybody has been told of the payment."""
        self._context = context
        self._store = context.store
        self._settings = ledger.settings
        self._catalogue = catalogue
        self._discounts = discounts
        self._ledger = ledger
        self._on_card_paid = on_card_paid

    def create(self, data: dict[str, Any]) -> Record:
        now = self._settings.now()
        check_session(data, now=now)
        if "customer" in data:
            self._catalogue.customer(data["customer"], param="customer")
        items = build_line_items(data["line_items"], self._catalogue)
        session = build_session(data, items, base_url=self._context.base_url, now=now)
        details = {"line_items": items, "payment_intent_data": data.get("payment_intent_data", {})}
        with self._store.lock:
            chosen = [self._discounts.chosen(data["discounts"])] if data.get("discounts") else []
            self._store.put(DETAILS, session["id"], details)
            return self._discounts.apply(session, chosen) if chosen else self._ledger.keep(SESSIONS, session)

    def session(self, session_id: str) -> Record:
        """The session as it is now: one whose time is up has expired. Raises StripeError when unknown."""
        with self._store.lock:
            session = self._store.get(SESSIONS, session_id)
            if session is None:
                raise missing_object("checkout.session", session_id, param="session")
            if session["status"] == "open" and session["expires_at"] <= self._settings.now():
                return self.expire(session_id)
            return session

    def line_items(self, session_id: str) -> list[Record]:
        return list((self._store.get(DETAILS, session_id) or {}).get("line_items", []))

    def expire(self, session_id: str) -> Record:
        with self._store.lock:
            session = self._store.get(SESSIONS, session_id) or self.session(session_id)
            if session["status"] != "open":
                message = (
                    'Only Checkout Sessions with a status in ["open"] can be expired. '
                    f"This Checkout Session has a status of `{session['status']}`."
                )
                raise StripeError(message)
            session |= {"status": "expired", "url": None}
            self._store.put(SESSIONS, session_id, session)
            news = [News("checkout.session.expired", session)]
            if intent := self._store.get(INTENTS, session["payment_intent"] or ""):
                cancelled = {
                    "status": "canceled",
                    "canceled_at": self._settings.now(),
                    "cancellation_reason": "expired",
                }
                news.append(News("payment_intent.canceled", self._ledger.change(INTENTS, intent, cancelled)))
        self._ledger.tell(news)
        return session

    def expire_due(self) -> None:
        """Expire every open session whose time is up."""
        due = [Where("status", "=", "open"), Where("expires_at", "<=", self._settings.now())]
        for session in self._store.search(SESSIONS, due):
            self.session(session["id"])

    def pay_by_card(self, session_id: str, number: str, buyer: Buyer, *, wait_s: float = 0) -> Record:
        """Take the money. Raises StripeError (402, card_error) when the card is refused; the session then stays open.

        Waits up to `wait_s` seconds for the webhook endpoint's answer to `checkout.session.completed`.
        """
        card = read_card(number)
        with self._store.lock:
            session, intent, news = self._begin(session_id, buyer, kind="card")
            details = resources.card_details(card, year=2040)
            charge = self._charge(intent, buyer, details, status="failed" if card.decline else "succeeded")
            if card.decline:
                news += self._decline(intent, charge, card.decline)
            else:
                self._store.put(CARDS, charge["id"], {"number": card.number})
                news += self._succeed(intent, charge)
                session = self._complete(session, buyer, payment_status="paid")
                news.append(News("checkout.session.completed", session, is_waited_for=True))
        self._ledger.tell(news, wait_s)
        if card.decline:
            raise StripeError(card.decline.message, status=402, type="card_error", code=card.decline.code)
        self._on_card_paid(card, charge)
        return session

    def pay_directly(self, data: dict[str, Any], number: str) -> Record:
        """A PaymentIntent without a session, paid at once. Raises StripeError (402) when the card is refused."""
        card, now = read_card(number), self._settings.now()
        basket = {"amount_total": data["amount"], "currency": data["currency"].lower(), "customer": None}
        with self._store.lock:
            intent = resources.payment_intent(basket, data, method_types=["card"], now=now)
            self._ledger.keep(INTENTS, intent)
            details = resources.card_details(card, year=2040)
            charge = self._charge(intent, Buyer(), details, status="failed" if card.decline else "succeeded")
            settled = self._decline(intent, charge, card.decline) if card.decline else self._succeed(intent, charge)
        self._ledger.tell([News("payment_intent.created", intent), *settled])
        if card.decline:
            raise StripeError(card.decline.message, status=402, type="card_error", code=card.decline.code)
        self._on_card_paid(card, charge)
        return self._store.get(INTENTS, intent["id"]) or {}

    def pay_by_bank_debit(self, session_id: str, buyer: Buyer, *, wait_s: float = 0) -> Record:
        """Complete the session unpaid: the bank's answer comes later, by `settle`."""
        with self._store.lock:
            kind = next((kind for kind in self.session(session_id)["payment_method_types"] if kind != "card"), None)
            if kind is None:
                raise StripeError("This Checkout Session offers no bank debit.", param="payment_method")
            session, intent, news = self._begin(session_id, buyer, kind=kind)
            charge = self._charge(intent, buyer, resources.bank_details(kind), status="pending")
            waiting = {
                "status": "processing",
                "latest_charge": charge["id"],
                "payment_method": charge["payment_method"],
            }
            news += [
                News("charge.pending", charge),
                News("payment_intent.processing", self._ledger.change(INTENTS, intent, waiting)),
            ]
            session = self._complete(session, buyer, payment_status="unpaid")
            news.append(News("checkout.session.completed", session, is_waited_for=True))
        self._ledger.tell(news, wait_s)
        return session

    def complete_free(self, session_id: str, buyer: Buyer, *, wait_s: float = 0) -> Record:
        """Complete a session with nothing to pay: no intent and no charge, but always a customer.

        https://docs.stripe.com/payments/checkout/no-cost-orders
        """
        with self._store.lock:
            session = self._open(session_id)
            if session["amount_total"]:
                raise StripeError("This Checkout Session has an amount to pay.", param="card_number")
            if intent := self._store.get(INTENTS, session["payment_intent"] or ""):
                self._ledger.change(INTENTS, intent, {"status": "canceled", "canceled_at": self._settings.now()})
                session = session | {"payment_intent": None}
            session = self._complete(session, buyer, payment_status="no_payment_required")
        self._ledger.tell([News("checkout.session.completed", session, is_waited_for=True)], wait_s)
        return session

    def settle(self, session_id: str, outcome: Literal["succeeded", "failed"]) -> Record:
        """The bank's late answer to a debit. Raises StripeError unless the session waits for one."""
        with self._store.lock:
            session = self.session(session_id)
            intent = self._store.get(INTENTS, session["payment_intent"] or "")
            if intent is None or intent["status"] != "processing":
                raise StripeError("This Checkout Session does not wait for a bank.", param="id")
            charge = self._store.get(CHARGES, intent["latest_charge"]) or {}
            if outcome == "succeeded":
                paid = {"status": "succeeded", "paid": True, "captured": True, "amount_captured": charge["amount"]}
                paid["outcome"] = resources.OUTCOMES["succeeded"]
                news = self._succeed(intent, self._ledger.change(CHARGES, charge, paid))
                session = self._ledger.change(SESSIONS, session, {"payment_status": "paid"})
            else:
                refusal = Decline("payment_method_provider_decline", None, "The bank returned the debit.")
                failed = self._ledger.change(
                    CHARGES, charge, {"status": "failed", "outcome": resources.OUTCOMES["failed"]}
                )
                news = self._decline(intent, failed, refusal)
            news.append(News(f"checkout.session.async_payment_{outcome}", session))
        self._ledger.tell(news)
        return session

    def _open(self, session_id: str) -> Record:
        session = self.session(session_id)
        if session["status"] != "open":
            message = f"This Checkout Session is not open: it has a status of `{session['status']}`."
            raise StripeError(message, param="session")
        return session

    def _begin(self, session_id: str, buyer: Buyer, *, kind: str) -> tuple[Record, Record, list[News]]:
        session = self._open(session_id)
        if not session["amount_total"]:
            raise StripeError("This Checkout Session has nothing to pay.", param="card_number")
        if kind not in session["payment_method_types"]:
            raise StripeError(f"This Checkout Session does not take {kind}.", param="payment_method")
        if session["payment_intent"]:
            return session, self._store.get(INTENTS, session["payment_intent"]) or {}, []
        data = (self._store.get(DETAILS, session_id) or {}).get("payment_intent_data", {})
        types = session["payment_method_types"]
        intent = resources.payment_intent(session, data, method_types=types, now=self._settings.now())
        self._store.put(INTENTS, intent["id"], intent)
        session = self._ledger.change(SESSIONS, session, {"payment_intent": intent["id"]})
        return session, intent, [News("payment_intent.created", intent)]

    def _charge(self, intent: Record, buyer: Buyer, details: Record, *, status: str) -> Record:
        charge = resources.charge(
            intent, email=buyer.email, name=buyer.name, details=details, status=status, now=self._settings.now()
        )
        return self._ledger.keep(CHARGES, charge)

    def _succeed(self, intent: Record, charge: Record) -> list[News]:
        receipt_url = f"{self._context.base_url}/stripe/receipts/{charge['id']}"
        charge = self._ledger.change(CHARGES, charge, {"receipt_url": receipt_url})
        paid = {
            "status": "succeeded",
            "amount_received": intent["amount"],
            "latest_charge": charge["id"],
            "payment_method": charge["payment_method"],
            "last_payment_error": None,
        }
        intent = self._ledger.change(INTENTS, intent, paid)
        return [News("charge.succeeded", charge), News("payment_intent.succeeded", intent)]

    def _decline(self, intent: Record, charge: Record, refusal: Decline) -> list[News]:
        failure = {"failure_code": refusal.code, "failure_message": refusal.message}
        if charge["outcome"] and refusal.decline_code:
            failure["outcome"] = charge["outcome"] | {"reason": refusal.decline_code}
        charge = self._ledger.change(CHARGES, charge, failure)
        error = {
            "charge": charge["id"],
            "code": refusal.code,
            "decline_code": refusal.decline_code,
            "doc_url": f"https://stripe.com/docs/error-codes/{refusal.code.replace('_', '-')}",
            "message": refusal.message,
            "type": "card_error" if refusal.decline_code else "invalid_request_error",
        }
        failed = {"status": "requires_payment_method", "latest_charge": charge["id"], "last_payment_error": error}
        intent = self._ledger.change(INTENTS, intent, failed | {"payment_method": None})
        return [News("charge.failed", charge), News("payment_intent.payment_failed", intent)]

    def _complete(self, session: Record, buyer: Buyer, *, payment_status: str) -> Record:
        email = buyer.email or session["customer_email"]
        address = resources.EMPTY_ADDRESS
        details = {"address": address, "email": email, "name": buyer.name, "phone": None}
        details |= {"tax_exempt": "none", "tax_ids": []}
        customer = session["customer"]
        if customer is None and (session["customer_creation"] == "always" or not session["amount_total"]):
            customer = self._catalogue.create_customer({"email": email, "name": buyer.name})["id"]
        consent = {"promotions": None, "terms_of_service": "accepted"}
        needs_terms = (session["consent_collection"] or {}).get("terms_of_service") == "required"
        done = {
            "status": "complete",
            "payment_status": payment_status,
            "url": None,
            "customer": customer,
            "customer_details": details,
            "consent": consent if needs_terms else None,
        }
        self._discounts.redeem(session)
        if session["automatic_tax"]["enabled"]:
            done["automatic_tax"] = session["automatic_tax"] | {"status": "complete"}
        return self._ledger.change(SESSIONS, session, done)
