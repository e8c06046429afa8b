import time
from typing import Literal

import stripe

from sandbox.store import Record, Store

COLLECTION = "stripe.settings"
DEFAULT_EVENTS = [
    "checkout.session.completed",
    "checkout.session.expired",
    "checkout.session.async_payment_succeeded",
    "checkout.session.async_payment_failed",
    "refund.created",
    "refund.updated",
    "refund.failed",
    "charge.refunded",
    "charge.dispute.created",
    "charge.dispute.updated",
    "charge.dispute.closed",
]


class Settings:
    """What a test can turn on the Stripe stand-in; kept in the store, so a reset brings back the defaults.

    `clock_offset_s` moves the stand-in's clock (never the time in signatures), `livemode` is what events say of
    themselves, `think_ms` makes every POST take that long after it was accepted, `enabled_events` is what the webhook
    endpoint subscribes to ("*" is everything), `webhook_endpoint_version` and `webhook_endpoint_status` are what it
    says of itself (a disabled one is sent nothing), `thin_events` makes it get thin events instead of full ones.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    @property
    def enabled_events(self) -> list[str]:
        return list(self._all().get("enabled_events", DEFAULT_EVENTS))

    @property
    def livemode(self) -> bool:
        return bool(self._all().get("livemode", False))

    @property
    def think_ms(self) -> int:
        return int(self._all().get("think_ms", 0))

    @property
    def thin_events(self) -> bool:
        return bool(self._all().get("thin_events", False))

    @property
    def webhook_endpoint_version(self) -> str:
        return str(self._all().get("webhook_endpoint_version", stripe.api_version))

    @property
    def webhook_endpoint_status(self) -> Literal["enabled", "disabled"]:
        return "disabled" if self._all().get("webhook_endpoint_status") == "disabled" else "enabled"

    def now(self) -> int:
        """The stand-in's time in whole unix seconds."""
        return int(time.time()) + int(self._all().get("clock_offset_s", 0))

    def advance(self, seconds: int) -> None:
        with self._store.lock:
            self.change(clock_offset_s=int(self._all().get("clock_offset_s", 0)) + seconds)

    def change(self, **values: object) -> None:
        with self._store.lock:
            self._store.put(COLLECTION, "settings", self._all() | values)

    def _all(self) -> Record:
        return self._store.get(COLLECTION, "settings") or {}
