"""Payments at the stand-in for Stripe, and the deliveries that tell of them, as Stripe signs them."""

import json
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

import requests

from benchmarks.running import SANDBOX_KEY, WEBHOOK_SECRET
from sandbox.stripe.signature import signature_header

WEBHOOK = "/api/payments/stripe/webhook/"
Record = dict[str, Any]


@dataclass(frozen=True)
class Stand:
    """The stand-in in a process of its own, asked as a person at the Dashboard would."""

    url: str
    http: requests.Session = field(default_factory=requests.Session)

    def pay(self, session_id: str) -> Record:
        """The session, paid by card."""
        return self._act(f"sessions/{session_id}/pay")

    def refund(self, payment_intent_id: str, amount_minor: int) -> Record:
        return self._act(f"payment_intents/{payment_intent_id}/refund", amount=amount_minor)

    def session(self, session_id: str) -> Record:
        answer = self.http.get(
            f"{self.url}/v1/checkout/sessions/{session_id}",
            params={"expand[]": "payment_intent.latest_charge"},
            headers={"Authorization": f"Bearer {SANDBOX_KEY}"},
            timeout=15,
        )
        answer.raise_for_status()
        return dict(answer.json())

    def _act(self, what: str, **sent: object) -> Record:
        answer = self.http.post(f"{self.url}/_control/{what}", json=sent, timeout=15)
        answer.raise_for_status()
        return dict(answer.json())


def event_about(kind: str, subject: Record) -> Record:
    """A new full event of this kind."""
    return {
        "id": f"evt_{uuid.uuid4().hex}",
        "object": "event",
        "api_version": "2026-10-28.endive",
        "created": int(time.time()),
        "livemode": False,
        "type": kind,
        "data": {"object": subject},
    }


def signature_of(event: Record) -> str:
    """The header for the event's JSON as `json.dumps` writes it; it counts for five minutes."""
    return signature_header(json.dumps(event).encode(), WEBHOOK_SECRET)
