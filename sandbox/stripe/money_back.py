"""New objects of what comes after a payment in the shape of Stripe's answers."""

from typing import Any

from sandbox.store import Record
from sandbox.stripe.ids import new_id


def refund(of_charge: Record, data: dict[str, Any], *, amount: int, status: str, now: int) -> Record:
    """Money on its way back; `status` is what the means of payment starts with (succeeded for cards)."""
    card = {"reference_status": "pending", "reference_type": "acquirer_reference_number", "type": "refund"}
    is_card = of_charge["payment_method_details"]["type"] == "card"
    return {
        "id": new_id("re"),
        "object": "refund",
        "amount": amount,
        "balance_transaction": None,
        "charge": of_charge["id"],
        "created": now,
        "currency": of_charge["currency"],
        "destination_details": {"card": card, "type": "card"} if is_card else None,
        "metadata": data.get("metadata") or {},
        "payment_intent": of_charge["payment_intent"],
        "reason": data.get("reason"),
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": status,
        "transfer_reversal": None,
    }


def balance_transaction(kind: str, amount: int, *, currency: str, source: str, fee: int, now: int) -> Record:
    fees = {"amount": fee, "application": None, "currency": currency, "description": "Fee", "type": "stripe_fee"}
    return {
        "id": new_id("txn"),
        "object": "balance_transaction",
        "amount": amount,
        "available_on": now,
        "balance_type": "payments",
        "created": now,
        "currency": currency,
        "description": None,
        "exchange_rate": None,
        "fee": fee,
        "fee_details": [fees] if fee else [],
        "net": amount - fee,
        "reporting_category": "dispute" if kind == "adjustment" else kind,
        "source": source,
        "status": "available",
        "type": kind,
    }


def dispute(of_charge: Record, *, amount: int, reason: str, due_by: int, now: int) -> Record:
    """A dispute without a status yet: who opens it says how far it has come."""
    card = of_charge["payment_method_details"].get("card")
    brand = card["brand"] if card else ""
    case = {"brand": brand, "case_type": "chargeback", "network": brand, "network_reason_code": "10.4"}
    return {
        "id": new_id("du"),
        "object": "dispute",
        "amount": amount,
        "balance_transactions": [],
        "charge": of_charge["id"],
        "created": now,
        "currency": of_charge["currency"],
        "enhanced_eligibility_types": [],
        "evidence": {"enhanced_evidence": {}},
        "evidence_details": {
            "due_by": due_by,
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
            "submission_method": "not_submitted",
        },
        "is_charge_refundable": False,
        "livemode": False,
        "metadata": {},
        "network_reason_code": "10.4" if card else None,
        "payment_intent": of_charge["payment_intent"],
        "payment_method_details": {"card": case, "type": "card"} if card else None,
        "reason": reason,
    }
