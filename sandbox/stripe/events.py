import json
import time
from dataclasses import dataclass

import stripe

from sandbox.context import SandboxContext
from sandbox.faults import WebhookFault
from sandbox.store import Record
from sandbox.stripe import resources, schema, thin
from sandbox.stripe.errors import StripeError
from sandbox.stripe.ids import new_id
from sandbox.stripe.settings import Settings
from sandbox.stripe.signature import signature_header

COLLECTION = "stripe.events"
HELD_BACK_S = 2.0


@dataclass(frozen=True)
class HeldBack:
    event_id: str
    fault: WebhookFault
    since: float


class Events:
    """Stripe's events: kept for the API, and sent to the webhook endpoint when it subscribes to their type."""

    def __init__(self, context: SandboxContext, settings: Settings) -> None:
        self._context = context
        self._settings = settings
        self._held_back: list[HeldBack] = []

    def emit(self, kind: str, subject: Record, *, wait_s: float = 0) -> Record:
        """Record that something happened to `subject` and tell the endpoint; waits up to `wait_s` for its first answer.

        Don't hold the store's lock while waiting: the endpoint will ask the API before it answers.
        """
        is_wanted = bool(self._context.webhooks.stripe_url) and self._is_subscribed(kind)
        event = self._record(kind, json.loads(json.dumps(subject)), pending_webhooks=int(is_wanted))
        if is_wanted:
            self._deliver(event["id"], wait_s)
        return event

    def resend(self, event_id: str) -> None:
        """Send an event again, subscribed or not, as the Dashboard's button does. Raises StripeError when unknown."""
        if self._context.store.get(COLLECTION, event_id) is None:
            raise StripeError(f"No such event: '{event_id}'", status=404, code="resource_missing", param="id")
        self._send(event_id, WebhookFault())

    def flush(self, *, older_than_s: float = 0) -> None:
        """Send what the `reorder` fault holds back and no later event has released."""
        with self._context.store.lock:
            due = [held for held in self._held_back if time.monotonic() - held.since >= older_than_s]
            self._held_back = [held for held in self._held_back if held not in due]
        for held in due:
            if self._context.store.get(COLLECTION, held.event_id) is not None:
                self._send(held.event_id, held.fault)

    def _is_subscribed(self, kind: str) -> bool:
        enabled = self._settings.enabled_events
        return self._settings.webhook_endpoint_status == "enabled" and ("*" in enabled or kind in enabled)

    def _record(self, kind: str, subject: Record, *, pending_webhooks: int) -> Record:
        event = resources.event(
            kind,
            subject,
            api_version=stripe.api_version,
            livemode=self._settings.livemode,
            pending_webhooks=pending_webhooks,
            now=self._settings.now(),
        )
        if found := schema.problems(event):
            raise schema.IllFormed(found)
        self._context.store.put(COLLECTION, event["id"], event)
        return event

    def _deliver(self, event_id: str, wait_s: float) -> None:
        fault = self._context.faults.take_webhook("stripe") or WebhookFault()
        ids = [event_id, self._twin(event_id)] if fault.second_id else [event_id]
        if fault.reorder:
            with self._context.store.lock:
                self._held_back += [HeldBack(each, fault, time.monotonic()) for each in ids]
            return
        for each in ids:
            self._send(each, fault, wait_s=wait_s if each == event_id else 0)
        self.flush()

    def _twin(self, event_id: str) -> str:
        twin = self._context.store.get(COLLECTION, event_id) or {}
        twin["id"] = new_id("evt")
        self._context.store.put(COLLECTION, twin["id"], twin)
        return str(twin["id"])

    def _send(self, event_id: str, fault: WebhookFault, *, wait_s: float = 0) -> None:
        def build() -> tuple[dict[str, str], bytes]:
            secret = "whsec_not_the_endpoints_own" if fault.wrong_secret else self._context.webhooks.stripe_secret
            payload = json.dumps(self._told(event_id, is_thin=fault.thin), indent=2).encode()
            headers = {
                "Content-Type": "application/json; charset=utf-8",
                "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
                "Stripe-Signature": signature_header(payload, secret),
            }
            return headers, payload

        self._context.deliveries.send(
            "stripe",
            self._context.webhooks.stripe_url,
            build,
            wait_s=wait_s,
            fault=fault,
            on_accepted=lambda: self._mark_delivered(event_id),
        )

    def _told(self, event_id: str, *, is_thin: bool) -> Record:
        """The body of a delivery: the event in the endpoint's version, or its thin form."""
        event = self._context.store.get(COLLECTION, event_id) or {}
        if not (is_thin or self._settings.thin_events):
            return event | {"api_version": self._settings.webhook_endpoint_version, "pending_webhooks": 1}
        told = thin.notification(event)
        if found := schema.problems(told):
            raise schema.IllFormed(found)
        return told

    def _mark_delivered(self, event_id: str) -> None:
        with self._context.store.lock:
            if event := self._context.store.get(COLLECTION, event_id):
                self._context.store.put(COLLECTION, event_id, event | {"pending_webhooks": 0})
