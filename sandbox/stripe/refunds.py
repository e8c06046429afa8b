from typing import Any

from sandbox.store import Record, Where
from sandbox.stripe import cards, money, money_back
from sandbox.stripe.errors import StripeError, missing_object
from sandbox.stripe.ledger import CARDS, CHARGES, DISPUTES, INTENTS, REFUNDS, Ledger, News
from sandbox.stripe.limits import check_metadata, merged_metadata

DUE = "stripe.refunds_due"
LATER_S = 2
NOT_ACTED_ON = frozenset(
    ["currency", "customer", "instructions_email", "origin", "refund_application_fee", "reverse_transfer"]
)
GIVEN_BACK = frozenset(["failed", "canceled"])
NEXT: dict[str, frozenset[str]] = {
    "requires_action": frozenset(["pending", "succeeded", "failed"]),
    "pending": frozenset(["requires_action", "succeeded", "failed"]),
    "succeeded": frozenset(["failed"]),
}
FAILURE_REASONS = frozenset([
    "charge_for_pending_refund_disputed", "declined", "expired_or_canceled_card", "insufficient_funds",
    "lost_or_stolen_card", "merchant_request", "unknown",
])  # fmt: skip


class Refunds:
    """Money given back: at once to cards, after a while to bank accounts, and sometimes it returns.

    https://docs.stripe.com/api/refunds, https://docs.stripe.com/testing#refunds
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._store = ledger.store

    def create(self, data: dict[str, Any], *, status: str | None = None) -> Record:
        """Give back `amount` minor units, or all that is left. Raises StripeError (400) for what Stripe refuses."""
        for name in NOT_ACTED_ON & data.keys():
            raise StripeError(f"The sandbox does not know {name} of a Refund.", param=name)
        check_metadata(data.get("metadata"), param="metadata")
        with self._store.lock:
            if status and status not in NEXT:
                raise StripeError(f"status must be one of {', '.join(NEXT)}", param="status")
            charge = self._charge_of(data)
            amount = self._amount(charge, data.get("amount"))
            starts, ends = self._course(charge)
            now = self._ledger.settings.now()
            refund = money_back.refund(charge, data, amount=amount, status=status or starts, now=now)
            refund = self._booked(self._ledger.keep(REFUNDS, refund))
            if ends and not status:
                self._store.put(DUE, refund["id"], {"id": refund["id"], "status": ends, "at": now + LATER_S})
            charge = self._recount(charge["id"])
        self._ledger.tell([News("refund.created", refund), News("charge.refunded", charge)])
        return refund

    def refund(self, refund_id: str, *, status: int = 404) -> Record:
        refund = self._store.get(REFUNDS, refund_id)
        if refund is None:
            raise missing_object("refund", refund_id, status=status)
        return refund

    def update(self, data: dict[str, Any], id: str) -> Record:
        check_metadata(data.get("metadata"), param="metadata")
        with self._store.lock:
            refund = self.refund(id)
            refund = self._ledger.change(REFUNDS, refund, {"metadata": merged_metadata(refund["metadata"], data)})
        self._ledger.tell([News("refund.updated", refund), News("charge.refund.updated", refund)])
        return refund

    def cancel(self, refund_id: str) -> Record:
        """Call off a refund that waits for the buyer; raises StripeError (400) in any other state."""
        with self._store.lock:
            refund = self.refund(refund_id)
            if refund["status"] != "requires_action":
                message = f"This refund cannot be canceled because it has a status of {refund['status']}."
                raise StripeError(message)
            refund = self._ledger.change(REFUNDS, refund, {"status": "canceled"})
            self._recount(refund["charge"])
        self._ledger.tell([News("refund.updated", refund), News("charge.refund.updated", refund)])
        return refund

    def settle(self, refund_id: str, status: str, *, reason: str = "unknown") -> Record:
        """What becomes of a refund later; one that succeeded can still fail. Raises StripeError for any other way.

        https://docs.stripe.com/refunds#failed-refunds
        """
        with self._store.lock:
            refund = self.refund(refund_id)
            if status not in NEXT.get(refund["status"], ()):
                raise StripeError(f"A refund that is {refund['status']} does not become {status}.", param="status")
            if reason not in FAILURE_REASONS:
                raise StripeError(f"reason must be one of {', '.join(sorted(FAILURE_REASONS))}", param="reason")
            self._store.delete(DUE, refund_id)
            refund = self._ledger.change(REFUNDS, refund, {"status": status})
            refund = self._failed(refund, reason) if status == "failed" else self._booked(refund)
            self._recount(refund["charge"])
        kinds = ["refund.updated", "charge.refund.updated", *(["refund.failed"] if status == "failed" else [])]
        self._ledger.tell(News(kind, refund) for kind in kinds)
        return refund

    def settle_due(self) -> None:
        """Bring to their end the refunds of those test cards whose refunds change after a while."""
        now = self._ledger.settings.now()
        for due in self._store.values(DUE):
            if due["at"] <= now:
                self.settle(due["id"], due["status"])

    def of_charge(self, charge_id: str) -> list[Record]:
        return self._store.search(REFUNDS, [Where("charge", "=", charge_id)])

    def _charge_of(self, data: dict[str, Any]) -> Record:
        if "charge" not in data and "payment_intent" not in data:
            message = "One of the following params should be provided for this request: payment_intent or charge."
            raise StripeError(message, code="parameter_missing", param="payment_intent")
        intent_id, charge_id = data.get("payment_intent"), data.get("charge")
        if intent_id is not None:
            intent = self._store.get(INTENTS, intent_id)
            if intent is None:
                raise missing_object("payment_intent", intent_id, param="payment_intent", status=400)
            if charge_id not in (None, intent["latest_charge"]):
                message = f"Charge {charge_id} does not belong to PaymentIntent {intent_id}."
                raise StripeError(message, param="charge")
            charge_id = intent["latest_charge"]
        charge = self._store.get(CHARGES, charge_id or "")
        if charge is None and intent_id is None:
            raise missing_object("charge", charge_id or "", param="charge", status=400)
        if charge is None or charge["status"] != "succeeded":
            named = intent_id or (charge or {}).get("payment_intent")
            raise StripeError(f"This PaymentIntent ({named}) does not have a successful charge to refund.")
        return charge

    def _amount(self, charge: Record, wanted: int | None) -> int:
        disputes = self._store.search(DISPUTES, [Where("charge", "=", charge["id"])])
        if any(not dispute["is_charge_refundable"] for dispute in disputes):
            message = f"Charge {charge['id']} has been charged back; cannot issue a refund."
            raise StripeError(message, code="charge_disputed")
        if charge["refunded"]:
            message = f"Charge {charge['id']} has already been refunded."
            raise StripeError(message, code="charge_already_refunded")
        left = charge["amount"] - charge["amount_refunded"]
        if wanted is None:
            return int(left)
        if wanted < 1:
            raise StripeError("Invalid positive integer", code="parameter_invalid_integer", param="amount")
        if wanted > left:
            limit, what = (left, "unrefunded amount on charge") if left < charge["amount"] else (left, "charge amount")
            sums = [money.display(amount, charge["currency"]) for amount in (wanted, limit)]
            raise StripeError(f"Refund amount ({sums[0]}) is greater than {what} ({sums[1]})", param="amount")
        return wanted

    def _course(self, charge: Record) -> tuple[str, str | None]:
        """How a refund of this charge starts, and what becomes of it by itself."""
        if charge["payment_method_details"]["type"] != "card":
            return "pending", None
        number = (self._store.get(CARDS, charge["id"]) or {}).get("number")
        return {cards.FAILING_REFUND: ("succeeded", "failed"), cards.SLOW_REFUND: ("pending", "succeeded")}.get(
            number, ("succeeded", None)
        )

    def _booked(self, refund: Record) -> Record:
        if refund["status"] == "requires_action" or refund["balance_transaction"]:
            return refund
        moved = self._ledger.book("refund", -refund["amount"], currency=refund["currency"], source=refund["id"])
        return self._ledger.change(REFUNDS, refund, {"balance_transaction": moved["id"]})

    def _failed(self, refund: Record, reason: str) -> Record:
        values: Record = {"failure_reason": reason}
        if refund["balance_transaction"]:
            source, currency = refund["id"], refund["currency"]
            moved = self._ledger.book("refund_failure", refund["amount"], currency=currency, source=source)
            values["failure_balance_transaction"] = moved["id"]
        return self._ledger.change(REFUNDS, refund, values)

    def _recount(self, charge_id: str) -> Record:
        charge = self._store.get(CHARGES, charge_id) or {}
        total = sum(r["amount"] for r in self.of_charge(charge_id) if r["status"] not in GIVEN_BACK)
        values = {"amount_refunded": total, "refunded": total == charge["amount"]}
        return self._ledger.change(CHARGES, charge, values)
