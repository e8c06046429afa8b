"""Notes every API request and lets the waiting faults happen to it."""

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

from flask import Flask, Response, g, request

from sandbox.calls import Calls
from sandbox.context import SandboxContext
from sandbox.faults import Fault
from sandbox.http_server import CutConnection

API_PREFIXES = {
    "/stripe/v1/": "stripe",
    "/stripe/v2/": "stripe",
    "/vdocipher/api/": "vdocipher",
    "/vdocipher/upload/": "vdocipher",
    "/cloudflare/client/": "cloudflare",
    "/cloudflare/upload/": "cloudflare",
    "/cloudflare/tus/": "cloudflare",
    "/bunny/library/": "bunny",
    "/bunny/tusupload": "bunny",
}
DRIP_INTERVAL_S = 1.0
USUAL_BODIES: dict[str, Callable[[str], dict[str, Any]]] = {
    "stripe": lambda text: {"error": {"type": "api_error", "message": text}},
    "cloudflare": lambda text: {
        "result": None,
        "success": False,
        "errors": [{"code": 10001, "message": text}],
        "messages": [],
    },
}


def install(app: Flask, context: SandboxContext, calls: Calls) -> None:
    """Put the log of calls and the faults around every API request of `app`."""

    @app.before_request
    def interfere() -> Response | None:
        service = api_service(request.path)
        if service is None or request.method == "OPTIONS":
            return None
        g.call = calls.note(service, request)
        fault = context.faults.take(service, request.path)
        if fault is None:
            return None
        g.fault = fault
        g.call["fault"] = True
        time.sleep(fault.delay_ms / 1000)
        return _invented_answer(fault) if fault.replaces_answer and not fault.after else None

    @app.after_request
    def deform(response: Response) -> Response:
        fault: Fault | None = g.pop("fault", None)
        if fault is not None:
            if fault.replaces_answer and fault.after:
                response = _invented_answer(fault)
            response = _deformed(response, fault)
        call = g.pop("call", None)
        if call is not None:
            call["status"] = response.status_code
        return response


def api_service(path: str) -> str | None:
    """Whose API this path belongs to; None for pages, control and mail."""
    return next((service for prefix, service in API_PREFIXES.items() if path.startswith(prefix)), None)


def _invented_answer(fault: Fault) -> Response:
    status = fault.status or 200
    message = f"Sandbox fault {status}"
    usual = USUAL_BODIES.get(fault.service, lambda text: {"message": text})(message)
    body = fault.body if fault.body is not None else json.dumps(usual)
    return Response(body, status=status, content_type=fault.content_type)


def _deformed(response: Response, fault: Fault) -> Response:
    response.headers.update(fault.headers)
    if fault.missing:
        _remove_keys(response, fault.missing)
    if fault.drop or fault.drip:
        body = response.get_data() or b" "
        response.response = _cut(body, keep=0 if fault.after else len(body) // 2) if fault.drop else _dripped(body)
        response.headers["Content-Length"] = str(len(body))
    return response


def _remove_keys(response: Response, keys: tuple[str, ...]) -> None:
    """Remove keys from a JSON answer; "a.b" reaches into an object."""
    answer: Any = response.get_json(silent=True)
    for key in keys:
        *parents, last = key.split(".")
        holder = answer
        for parent in parents:
            holder = holder.get(parent) if isinstance(holder, dict) else None
        if isinstance(holder, dict):
            holder.pop(last, None)
    if answer is not None:
        response.set_data(json.dumps(answer))


def _cut(body: bytes, *, keep: int) -> Iterator[bytes]:
    if keep:
        yield body[:keep]
    raise CutConnection


def _dripped(body: bytes) -> Iterator[bytes]:
    for position in range(len(body)):
        if position:
            time.sleep(DRIP_INTERVAL_S)
        yield body[position : position + 1]
