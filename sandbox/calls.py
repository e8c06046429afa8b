import threading
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

from flask import Request

LOG_LENGTH = 5000
BODY_LIMIT_BYTES = 1 << 20
HIDDEN = "***"
HIDDEN_HEADERS = frozenset({"authorization", "cookie", "proxy-authorization", "stripe-signature"})
UPLOADS = ("multipart/form-data", "application/offset+octet-stream")


class Calls:
    """What was asked of the stand-ins, oldest first, without secrets."""

    def __init__(self, secrets: Callable[[], Iterable[str]]) -> None:
        self._secrets = secrets
        self._lock = threading.Lock()
        self._calls: deque[dict[str, Any]] = deque(maxlen=LOG_LENGTH)

    def note(self, service: str, request: Request) -> dict[str, Any]:
        """Write down one request and give the record, whose `status` is filled in once it is answered."""
        call = {
            "service": service,
            "method": request.method,
            "path": request.path,
            "query": {name: self._hide(value) for name, value in request.args.items()},
            "headers": {
                name: HIDDEN if name.lower() in HIDDEN_HEADERS else self._hide(value)
                for name, value in request.headers.items()
            },
            "body": self._hide(_text(request)),
            "status": None,
            "fault": False,
        }
        with self._lock:
            self._calls.append(call)
        return call

    def list(self, service: str | None = None) -> list[dict[str, Any]]:
        """The calls to one service, or to all."""
        with self._lock:
            return [dict(call) for call in self._calls if service in (None, call["service"])]

    def clear(self) -> None:
        with self._lock:
            self._calls.clear()

    def _hide(self, text: str) -> str:
        for secret in filter(None, self._secrets()):
            text = text.replace(secret, HIDDEN)
        return text


def _text(request: Request) -> str:
    """The body as text; an upload and anything over a megabyte stay unread, for the stand-in to stream."""
    if request.mimetype in UPLOADS or (request.content_length or 0) > BODY_LIMIT_BYTES:
        return f"<{request.content_length} bytes of {request.mimetype}>"
    return request.get_data(cache=True).decode("utf-8", "replace")
