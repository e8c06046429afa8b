"""The webhook: the bare video object, sent once processing has ended
(https://developers.cloudflare.com/stream/manage-video-library/using-webhooks/)."""

import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable
from typing import Any

from sandbox.context import SandboxContext
from sandbox.faults import WebhookFault

SERVICE = "cloudflare"
WRONG_SECRET = "not-the-secret-of-this-webhook"
HELD_BACK_S, OVERTAKING_S = 2.0, 5.0


class Hooks:
    """Sends the account's hooks; a `reorder` fault holds one back until the next has gone, two seconds at most."""

    def __init__(self, context: SandboxContext) -> None:
        self._context = context
        self._held_back: list[Callable[[], None]] = []

    def send(self, video: dict[str, Any]) -> None:
        fault = self._context.faults.take_webhook(SERVICE) or WebhookFault()
        body = json.dumps(video, separators=(",", ":")).encode()

        def deliver() -> None:
            secret = WRONG_SECRET if fault.wrong_secret else self._context.webhooks.cloudflare_secret
            url = self._context.webhooks.cloudflare_url
            self._context.deliveries.send(
                SERVICE,
                url,
                lambda: (headers(secret, body), body),
                wait_s=OVERTAKING_S if self._held_back else 0,
                fault=fault,
            )

        if fault.reorder:
            with self._context.store.lock:
                self._held_back.append(deliver)
            timer = threading.Timer(HELD_BACK_S, self.flush)
            timer.daemon = True
            timer.start()
            return
        deliver()
        self.flush()

    def flush(self) -> None:
        """Send what is held back."""
        with self._context.store.lock:
            waiting, self._held_back = self._held_back, []
        for deliver in waiting:
            deliver()

    def forget(self) -> None:
        with self._context.store.lock:
            self._held_back = []


def headers(secret: str, body: bytes) -> dict[str, str]:
    return {"Content-Type": "application/json", "Webhook-Signature": signature_header(secret, body, int(time.time()))}


def signature_header(secret: str, body: bytes, at: int) -> str:
    """`time` in unix seconds and the HMAC-SHA256 of `time.body`, in lowercase hex."""
    digest = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"time={at},sig1={digest}"
