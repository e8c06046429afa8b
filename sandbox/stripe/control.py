"""`/stripe/_control`: what a test or a person can make happen without the hosted page. Bodies are JSON."""

from collections.abc import Callable
from typing import Any

import flask

from sandbox.store import Record
from sandbox.stripe.errors import StripeError
from sandbox.stripe.stand_in import GOOD_CARD, StripeSandbox

SETTINGS: dict[str, type] = {
    "enabled_events": list,
    "livemode": bool,
    "think_ms": int,
    "thin_events": bool,
    "webhook_endpoint_version": str,
    "webhook_endpoint_status": str,
}


def create_control(sandbox: StripeSandbox) -> flask.Blueprint:
    control = flask.Blueprint("stripe_control", __name__)

    @control.post("/sessions/<session_id>/pay")
    def pay(session_id: str) -> flask.Response:
        sent = _sent(card_number=str)
        return _answer(lambda: sandbox.pay(session_id, sent.get("card_number", GOOD_CARD)))

    @control.post("/sessions/<session_id>/bank_debit")
    def pay_by_bank_debit(session_id: str) -> flask.Response:
        return _answer(lambda: sandbox.pay_by_bank_debit(session_id))

    @control.post("/sessions/<session_id>/async")
    def settle(session_id: str) -> flask.Response:
        outcome = _sent(outcome=str).get("outcome")
        if outcome not in ("succeeded", "failed"):
            raise StripeError("outcome must be succeeded or failed", param="outcome")
        return _answer(lambda: sandbox.settle(session_id, outcome))

    @control.post("/sessions/<session_id>/expire")
    def expire(session_id: str) -> flask.Response:
        return _answer(lambda: sandbox.expire(session_id))

    @control.post("/sessions/<session_id>/promotion_code")
    def apply_promotion_code(session_id: str) -> flask.Response:
        return _answer(lambda: sandbox.apply_promotion_code(session_id, _sent(code=str).get("code", "")))

    @control.post("/payment_intents/<intent_id>/refund")
    def refund(intent_id: str) -> flask.Response:
        sent = _sent(amount=int, status=str)
        return _answer(lambda: sandbox.refund(intent_id, sent.get("amount"), status=sent.get("status")))

    @control.post("/refunds/<refund_id>/settle")
    def settle_refund(refund_id: str) -> flask.Response:
        sent = _sent(status=str, reason=str)
        reason = sent.get("reason", "unknown")
        return _answer(lambda: sandbox.settle_refund(refund_id, sent.get("status", ""), reason=reason))

    @control.post("/disputes")
    def open_dispute() -> flask.Response:
        sent = _sent(charge=str, payment_intent=str, status=str, reason=str, amount=int)
        disputed = sent.pop("charge", None) or sent.pop("payment_intent", "")
        return _answer(lambda: sandbox.open_dispute(disputed, **sent))

    @control.post("/disputes/<dispute_id>/move")
    def move_dispute(dispute_id: str) -> flask.Response:
        return _answer(lambda: sandbox.move_dispute(dispute_id, _sent(status=str).get("status", "")))

    @control.post("/events/<event_id>/resend")
    def resend(event_id: str) -> flask.Response:
        sandbox.resend(event_id)
        return flask.jsonify({"id": event_id, "sent": True})

    @control.post("/clock")
    def advance() -> flask.Response:
        sandbox.advance(_sent(advance_s=int).get("advance_s", 0))
        return flask.jsonify({"now": sandbox.settings.now()})

    @control.post("/settings")
    def change() -> flask.Response:
        sent = _sent(**SETTINGS)
        if sent.get("webhook_endpoint_status", "enabled") not in ("enabled", "disabled"):
            raise StripeError("webhook_endpoint_status must be enabled or disabled", param="webhook_endpoint_status")
        sandbox.settings.change(**sent)
        return flask.jsonify({name: getattr(sandbox.settings, name) for name in SETTINGS})

    @control.errorhandler(StripeError)
    def refuse(error: StripeError) -> tuple[flask.Response, int]:
        return flask.jsonify(error.body()), error.status

    return control


def _answer(act: Callable[[], Record]) -> flask.Response:
    return flask.jsonify(act())


def _sent(**fields: type) -> dict[str, Any]:
    sent = flask.request.get_json(force=True, silent=True) if flask.request.get_data() else {}
    if not isinstance(sent, dict):
        raise StripeError("The body must be a JSON object.")
    for name, value in sent.items():
        if name not in fields:
            raise StripeError(f"Unknown field {name}; known are {', '.join(fields)}", param=name)
        if type(value) is not fields[name]:
            raise StripeError(f"{name} must be {fields[name].__name__}", param=name)
    return sent
