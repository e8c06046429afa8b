from typing import Any

from sandbox.store import Record
from sandbox.stripe import cards, money_back
from sandbox.stripe.errors import StripeError, missing_object
from sandbox.stripe.ledger import CHARGES, DISPUTES, INTENTS, Ledger, News
from sandbox.stripe.limits import check_metadata, merged_metadata

DISPUTED_CARDS = {cards.FRAUDULENT_DISPUTE: "needs_response", cards.INQUIRY: "warning_needs_response"}
FEE_MINOR, DUE_IN_S = 1500, 7 * 24 * 3600
FIRST = frozenset([
    "warning_needs_response", "warning_under_review", "warning_closed",
    "needs_response", "under_review", "lost", "prevented",
])  # fmt: skip
NEXT: dict[str, frozenset[str]] = {
    "warning_needs_response": frozenset(["warning_under_review", "warning_closed", "prevented", "needs_response"]),
    "warning_under_review": frozenset(["warning_closed", "prevented", "needs_response"]),
    "needs_response": frozenset(["under_review", "won", "lost"]),
    "under_review": frozenset(["won", "lost"]),
    "lost": frozenset(["appeal_needs_response"]),
    "appeal_needs_response": frozenset(["appeal_under_review", "won", "lost"]),
    "appeal_under_review": frozenset(["won", "lost"]),
}
SUBMITTED = {
    "warning_needs_response": "warning_under_review",
    "needs_response": "under_review",
    "appeal_needs_response": "appeal_under_review",
}
CLOSED = frozenset(["won", "lost", "warning_closed", "prevented"])
WITHOUT_MONEY = frozenset(["warning_needs_response", "warning_under_review", "warning_closed", "prevented"])
REASONS = frozenset([
    "bank_cannot_process", "check_returned", "credit_not_processed", "customer_initiated", "debit_not_authorized",
    "duplicate", "fraudulent", "general", "incorrect_account_details", "insufficient_funds", "noncompliant",
    "product_not_received", "product_unacceptable", "subscription_canceled", "unrecognized",
])  # fmt: skip
VERDICTS = {
    "winning_evidence": {"warning_under_review": "warning_closed", "under_review": "won", "appeal_under_review": "won"},
    "losing_evidence": {"under_review": "lost", "appeal_under_review": "lost"},
    "escalate_inquiry_evidence": {"warning_under_review": "needs_response"},
}


class Disputes:
    """Payments that cardholders question at their bank: inquiries, chargebacks, and what becomes of them.

    https://docs.stripe.com/api/disputes, https://docs.stripe.com/testing#disputes
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._store = ledger.store

    def open(
        self, charge_or_intent: str, status: str, *, reason: str = "fraudulent", amount: int | None = None
    ) -> Record:
        """A dispute of `amount` minor units, or of the whole charge. Raises StripeError for what cannot be disputed."""
        if status not in FIRST:
            raise StripeError(f"A dispute does not begin as {status or 'nothing'}.", param="status")
        if reason not in REASONS:
            raise StripeError(f"reason must be one of {', '.join(sorted(REASONS))}", param="reason")
        with self._store.lock:
            charge = self._charge(charge_or_intent)
            amount = charge["amount"] if amount is None else amount
            if not 1 <= amount <= charge["amount"]:
                raise StripeError("amount must be between 1 and what was charged", param="amount")
            now = self._ledger.settings.now()
            dispute = money_back.dispute(charge, amount=amount, reason=reason, due_by=now + DUE_IN_S, now=now)
            dispute, news = self._become(dispute, status)
            self._ledger.change(CHARGES, charge, {"disputed": True})
        closed = [News("charge.dispute.closed", dispute)] if status in CLOSED else []
        self._ledger.tell([News("charge.dispute.created", dispute), *news, *closed])
        return dispute

    def dispute(self, dispute_id: str) -> Record:
        dispute = self._store.get(DISPUTES, dispute_id)
        if dispute is None:
            raise missing_object("dispute", dispute_id)
        return dispute

    def move(self, dispute_id: str, status: str) -> Record:
        """Bring a dispute on to `status`; raises StripeError for a way that no dispute goes."""
        with self._store.lock:
            dispute = self.dispute(dispute_id)
            if status not in NEXT.get(dispute["status"], ()):
                raise StripeError(f"A dispute that is {dispute['status']} does not become {status}.", param="status")
            dispute, news = self._become(dispute, status)
        kind = "charge.dispute.closed" if status in CLOSED else "charge.dispute.updated"
        self._ledger.tell([News(kind, dispute), *news])
        return dispute

    def update(self, data: dict[str, Any], id: str) -> Record:
        """Add evidence, and submit it unless told not to; the test texts of Stripe bring the verdict at once."""
        check_metadata(data.get("metadata"), param="metadata")
        evidence = data.get("evidence", {})
        is_submitted = data.get("submit", bool(evidence))
        with self._store.lock:
            dispute = self.dispute(id)
            if (evidence or is_submitted) and dispute["status"] not in SUBMITTED:
                raise StripeError("This dispute does not take evidence any more.", param="evidence")
            details = dispute["evidence_details"]
            if evidence:
                details |= {"has_evidence": True}
            if is_submitted:
                count = details["submission_count"] + 1
                details |= {"submission_count": count, "submission_method": "manual"}
            values = {"evidence": dispute["evidence"] | evidence, "evidence_details": details}
            values["metadata"] = merged_metadata(dispute["metadata"], data)
            dispute = self._ledger.change(DISPUTES, dispute, values)
        if not is_submitted:
            self._ledger.tell([News("charge.dispute.updated", dispute)])
            return dispute
        dispute = self.move(id, SUBMITTED[dispute["status"]])
        verdict = VERDICTS.get(evidence.get("uncategorized_text"), {}).get(dispute["status"])
        return self.move(id, verdict) if verdict else dispute

    def close(self, dispute_id: str) -> Record:
        """Accept the dispute, which loses it; raises StripeError (400) unless it waits for an answer."""
        if self.dispute(dispute_id)["status"] != "needs_response":
            raise StripeError("This dispute is already closed or cannot be closed.")
        return self.move(dispute_id, "lost")

    def _charge(self, charge_or_intent: str) -> Record:
        intent = self._store.get(INTENTS, charge_or_intent)
        charge = self._store.get(CHARGES, (intent or {}).get("latest_charge") or charge_or_intent)
        if charge is None:
            raise missing_object("charge", charge_or_intent, param="charge", status=404)
        if charge["status"] != "succeeded":
            raise StripeError(f"Charge {charge['id']} has not been paid.", param="charge")
        return charge

    def _become(self, dispute: Record, status: str) -> tuple[Record, list[News]]:
        """The dispute in its new status, the money moved with it, and the events of the money."""
        is_refundable = status.startswith("warning_") and status != "warning_closed"
        dispute = dispute | {"status": status, "is_charge_refundable": is_refundable}
        if card := (dispute["payment_method_details"] or {}).get("card"):
            card["case_type"] = "inquiry" if status.startswith("warning_") else "chargeback"
        moved = dispute["balance_transactions"]
        kind = None
        if status not in WITHOUT_MONEY and not moved:
            kind = "withdrawn"
            moved.append(self._moved(dispute, -dispute["amount"], fee=FEE_MINOR))
        elif status == "won":
            kind = "reinstated"
            moved.append(self._moved(dispute, dispute["amount"]))
        self._ledger.keep(DISPUTES, dispute)
        return dispute, [News(f"charge.dispute.funds_{kind}", dispute)] if kind else []

    def _moved(self, dispute: Record, amount: int, *, fee: int = 0) -> Record:
        currency, source = dispute["currency"], dispute["id"]
        return self._ledger.book("adjustment", amount, currency=currency, source=source, fee=fee)
