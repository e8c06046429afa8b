"""The webhook: library, video and a number, signed over the raw body alone (https://docs.bunny.net/stream/webhooks)."""

import hashlib
import hmac
import json
from enum import IntEnum

from sandbox.context import SandboxContext
from sandbox.faults import WebhookFault

SERVICE = "bunny"
WRONG_KEY = "not-the-read-only-key"


class HookStatus(IntEnum):
    QUEUED = 0
    PROCESSING = 1
    ENCODING = 2
    FINISHED = 3
    RESOLUTION_FINISHED = 4
    FAILED = 5
    UPLOAD_STARTED = 6
    UPLOAD_FINISHED = 7
    UPLOAD_FAILED = 8
    CAPTIONS_MADE = 9
    TITLE_MADE = 10


def send(context: SandboxContext, guid: str, number: int) -> None:
    """Send one hook; it has no time and no id, so the same news has the same body and signature for ever."""
    body = body_of(int(context.config.bunny_library_id), guid, number)
    fault = context.faults.take_webhook(SERVICE) or WebhookFault()
    key = WRONG_KEY if fault.wrong_secret else context.config.bunny_read_only_key
    context.deliveries.send(SERVICE, context.webhooks.bunny_url, lambda: (headers(key, body), body), fault=fault)


def body_of(library_id: int, guid: str, number: int) -> bytes:
    members = {"VideoLibraryId": library_id, "VideoGuid": guid, "Status": int(number)}
    return json.dumps(members, separators=(",", ":")).encode()


def headers(key: str, body: bytes) -> dict[str, str]:
    return {
        "Content-Type": "application/json",
        "X-BunnyStream-Signature": hmac.new(key.encode(), body, hashlib.sha256).hexdigest(),
        "X-BunnyStream-Signature-Version": "v1",
        "X-BunnyStream-Signature-Algorithm": "hmac-sha256",
    }
