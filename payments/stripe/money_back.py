"""Refunds and disputes: https://docs.stripe.com/api/refunds, https://docs.stripe.com/api/disputes"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from stripe.params import RefundCreateParams

from payments.stripe.client import PAGE, as_time, ask, ask_for_all, client, id_of
from payments.stripe.sessions import retrieve_session
from payments.stripe.types import DisputeState, Reading, RefundRequest, RefundState

KINDS = {"re": "refunds", "pyr": "refunds", "dp": "disputes", "du": "disputes", "ch": "charges", "py": "charges"}


def read(session_id: str, *, with_refunds: bool = False, with_disputes: bool = False) -> Reading:
    """Ask for a session and what became of its money.

    Refunds and disputes are asked about when the charge tells of some, or when the caller knows of some. Raises what
    `retrieve_session` raises.
    """
    session = retrieve_session(session_id)
    intent = session.payment_intent_id
    if intent is None:
        return Reading(session=session)
    return Reading(
        session=session,
        refunds=tuple(list_refunds(payment_intent_id=intent)) if with_refunds or session.is_refunded else (),
        disputes=tuple(list_disputes(payment_intent_id=intent)) if with_disputes or session.is_disputed else (),
    )


def create_refund(request: RefundRequest) -> RefundState:
    """Give money back, or get the refund that the same idempotency key made before.

    Raises ProviderRejected (`charge_already_refunded`, `charge_disputed` and others), ProviderUnavailable,
    ProviderMisconfigured.
    """
    params: RefundCreateParams = {"payment_intent": request.payment_intent_id, "metadata": request.metadata}
    if request.amount_minor is not None:
        params["amount"] = request.amount_minor
    if request.reason:
        params["reason"] = request.reason
    refunds = client().v1.refunds
    return _refund(ask(lambda: refunds.create(params, {"idempotency_key": request.idempotency_key})))


def list_refunds(*, payment_intent_id: str = "", since: datetime | None = None) -> Iterator[RefundState]:
    """Refunds of one intent, or all since a time; newest first."""
    refunds = client().v1.refunds
    # When a refund failed stands only in the transaction that brought the money back.
    params = _filter(payment_intent_id, since) | {"expand": ["data.failure_balance_transaction"]}
    return (_refund(raw) for raw in ask_for_all(lambda: refunds.list(params)))


def list_disputes(*, payment_intent_id: str = "", since: datetime | None = None) -> Iterator[DisputeState]:
    """Disputes of one intent, or all since a time; newest first."""
    disputes = client().v1.disputes
    return (_dispute(raw) for raw in ask_for_all(lambda: disputes.list(_filter(payment_intent_id, since))))


def intent_of(object_id: str) -> str:
    """The intent behind a refund, a dispute or a charge, told apart by the id's prefix; empty when there is none.

    Raises ObjectNotFound and what `create_refund` raises.
    """
    kind = KINDS.get(object_id.partition("_")[0], "charges")
    service: Any = getattr(client().v1, kind)
    return id_of(ask(lambda: service.retrieve(object_id)).get("payment_intent"))


def intent_metadata(payment_intent_id: str) -> dict[str, str]:
    """What an intent was labelled with when its session was made."""
    intents = client().v1.payment_intents
    return ask(lambda: intents.retrieve(payment_intent_id)).get("metadata") or {}


def receipt_url(charge_id: str) -> str:
    """Where Stripe shows the receipt now; empty when it has none. The address tells who paid: it is never stored."""
    charges = client().v1.charges
    return ask(lambda: charges.retrieve(charge_id)).get("receipt_url") or ""


def _filter(payment_intent_id: str, since: datetime | None) -> Any:
    params: dict[str, Any] = {"limit": PAGE}
    if payment_intent_id:
        params["payment_intent"] = payment_intent_id
    if since:
        params["created"] = {"gte": int(since.timestamp())}
    return params


def _refund(raw: dict[str, Any]) -> RefundState:
    came_back = raw.get("failure_balance_transaction")
    return RefundState(
        id=raw["id"],
        status=raw.get("status") or "",
        amount_minor=raw["amount"],
        currency=raw["currency"].lower(),
        reason=raw.get("reason") or "",
        failure_reason=raw.get("failure_reason") or "",
        failed_at=as_time(came_back["created"]) if isinstance(came_back, dict) else None,
        payment_intent_id=id_of(raw.get("payment_intent")),
        metadata=raw.get("metadata") or {},
        created_at=as_time(raw["created"]),
    )


def _dispute(raw: dict[str, Any]) -> DisputeState:
    due = (raw.get("evidence_details") or {}).get("due_by")
    return DisputeState(
        id=raw["id"],
        status=raw.get("status") or "",
        amount_minor=raw["amount"],
        currency=raw["currency"].lower(),
        reason=raw.get("reason") or "",
        is_refundable=bool(raw.get("is_charge_refundable")),
        answer_due_at=as_time(due) if due else None,
        payment_intent_id=id_of(raw.get("payment_intent")),
        created_at=as_time(raw["created"]),
    )
