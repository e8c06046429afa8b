"""Webhooks as VdoCipher sends them: two events only, no signature (https://www.vdocipher.com/docs/server/account/hooks)."""

import json
import time
import uuid
from functools import partial
from typing import Any

from sandbox.context import SandboxContext

HOOKS = "vdocipher.hooks"
EVENTS = ("video:ready", "video:readyall")
CONFIGURED_HOOK_ID = "5d56a5234f99sandbox"


def register(context: SandboxContext, *, url: str, event: str, status: int) -> dict[str, Any]:
    """Keep one hook and give it back with its uuid."""
    hook_id = str(uuid.uuid4())
    hook = {"uuid": hook_id, "type": "http", "value": url, "event": event, "status": status}
    context.store.put(HOOKS, hook_id, hook)
    return hook


def send_ready(context: SandboxContext, video: dict[str, Any]) -> None:
    """Tell the configured address and every active registered hook that a video is ready."""
    targets = [(CONFIGURED_HOOK_ID, context.webhooks.vdocipher_url, "video:ready")]
    targets += [(hook["uuid"], hook["value"], hook["event"]) for hook in context.store.values(HOOKS) if hook["status"]]
    for hook_id, url, event in targets:
        body = json.dumps(_body(hook_id, event, video)).encode()
        context.deliveries.send("vdocipher", url, partial(_message, body))


def _message(body: bytes) -> tuple[dict[str, str], bytes]:
    return {"Content-Type": "application/json"}, body


def _body(hook_id: str, event: str, video: dict[str, Any]) -> dict[str, Any]:
    return {
        "hookId": hook_id,
        "event": event,
        "time": int(time.time() * 1000),
        "payload": {name: video[name] for name in ("id", "title", "upload_time", "tags", "length", "status")},
    }
