import threading
from typing import Literal

from sandbox.context import SandboxContext
from sandbox.store import Record
from sandbox.stripe.cards import Card
from sandbox.stripe.catalogue import Catalogue
from sandbox.stripe.checkout import Buyer, Checkout
from sandbox.stripe.discounts import Discounts
from sandbox.stripe.disputes import DISPUTED_CARDS, Disputes
from sandbox.stripe.events import COLLECTION as EVENTS
from sandbox.stripe.events import HELD_BACK_S, Events
from sandbox.stripe.idempotency import Idempotency
from sandbox.stripe.ledger import DISPUTES, REFUNDS, SESSIONS, Ledger
from sandbox.stripe.refunds import Refunds
from sandbox.stripe.settings import Settings

TICK_S = 0.5
GOOD_CARD = "4242 4242 4242 4242"


class StripeSandbox:
    """The whole stand-in for Stripe behind one sandbox, for tests and for the control pages.

    `start` runs the clockwork (sessions expire, held-back events go out); `close` must come before the store is closed.
    """

    def __init__(self, context: SandboxContext) -> None:
        self.context = context
        self.settings = Settings(context.store)
        self.idempotency = Idempotency(context.store)
        self.catalogue = Catalogue(context.store, self.settings)
        self.event_log = Events(context, self.settings)
        ledger = Ledger(context.store, self.settings, self.event_log)
        self.discounts = Discounts(ledger)
        self.checkout = Checkout(context, self.catalogue, self.discounts, ledger, self._dispute_if_told)
        self.money_back = Refunds(ledger)
        self.quarrels = Disputes(ledger)
        self._stopping = threading.Event()
        self._clockwork = threading.Thread(target=self._tick, name="stripe-clockwork", daemon=True)

    def start(self) -> None:
        self._clockwork.start()

    def close(self) -> None:
        self._stopping.set()
        if self._clockwork.is_alive():
            self._clockwork.join()

    def session(self, session_id: str) -> Record:
        return self.checkout.session(session_id)

    def sessions(self) -> list[Record]:
        """Every Checkout Session, oldest first."""
        return self.context.store.values(SESSIONS)

    def events(self, kind: str | None = None) -> list[Record]:
        """Every event, or those of one type, oldest first."""
        return [event for event in self.context.store.values(EVENTS) if kind in (None, event["type"])]

    def pay(
        self, session_id: str, card_number: str = GOOD_CARD, *, email: str | None = None, wait_s: float = 0
    ) -> Record:
        """Pay (or complete, when free) as the hosted page does; waits up to `wait_s` for the webhook's first answer.

        Raises StripeError: 402 when the card is refused, 400 when the session is not open.
        """
        buyer = Buyer(email=email, name="Sandbox Buyer")
        if not self.session(session_id)["amount_total"]:
            return self.checkout.complete_free(session_id, buyer, wait_s=wait_s)
        return self.checkout.pay_by_card(session_id, card_number, buyer, wait_s=wait_s)

    def pay_by_bank_debit(self, session_id: str, *, email: str | None = None, wait_s: float = 0) -> Record:
        """Complete the session unpaid; `settle` brings the bank's answer."""
        return self.checkout.pay_by_bank_debit(session_id, Buyer(email=email, name="Sandbox Buyer"), wait_s=wait_s)

    def settle(self, session_id: str, outcome: Literal["succeeded", "failed"]) -> Record:
        return self.checkout.settle(session_id, outcome)

    def expire(self, session_id: str) -> Record:
        return self.checkout.expire(session_id)

    def apply_promotion_code(self, session_id: str, code: str) -> Record:
        """Type a code into the hosted page; '' takes the last one back. Raises StripeError for one that is refused."""
        self.session(session_id)
        return self.discounts.apply_code(session_id, code)

    def refund(self, payment_intent_id: str, amount: int | None = None, *, status: str | None = None) -> Record:
        """Give money back as somebody at the Dashboard does: without metadata, all that is left unless told.

        `status` overrides what the means of payment starts with. Raises StripeError for what Stripe refuses.
        """
        data = {"payment_intent": payment_intent_id} | ({} if amount is None else {"amount": amount})
        return self.money_back.create(data, status=status)

    def settle_refund(self, refund_id: str, status: str, *, reason: str = "unknown") -> Record:
        """Let a refund become succeeded, failed (also after it succeeded) or requires_action."""
        return self.money_back.settle(refund_id, status, reason=reason)

    def refunds(self) -> list[Record]:
        """Every refund, oldest first."""
        return self.context.store.values(REFUNDS)

    def open_dispute(
        self,
        charge_or_intent: str,
        status: str = "needs_response",
        *,
        reason: str = "fraudulent",
        amount: int | None = None,
    ) -> Record:
        """Let the cardholder dispute a payment (all of it unless told); it may be lost or prevented from the start."""
        return self.quarrels.open(charge_or_intent, status, reason=reason, amount=amount)

    def move_dispute(self, dispute_id: str, status: str) -> Record:
        """Let the bank bring a dispute on; raises StripeError for a way that no dispute goes."""
        return self.quarrels.move(dispute_id, status)

    def disputes(self) -> list[Record]:
        """Every dispute, oldest first."""
        return self.context.store.values(DISPUTES)

    def resend(self, event_id: str) -> None:
        self.event_log.resend(event_id)

    def advance(self, seconds: int) -> None:
        """Move the stand-in's clock on and let what is due by then happen."""
        self.settings.advance(seconds)
        self._let_due_happen()

    def _tick(self) -> None:
        while not self._stopping.wait(TICK_S):
            self._let_due_happen()
            self.event_log.flush(older_than_s=HELD_BACK_S)

    def _let_due_happen(self) -> None:
        self.checkout.expire_due()
        self.money_back.settle_due()
        self.discounts.expire_due()

    def _dispute_if_told(self, card: Card, charge: Record) -> None:
        if status := DISPUTED_CARDS.get(card.number):
            self.quarrels.open(charge["id"], status, reason="fraudulent")
