import http.client
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

from sandbox.faults import Faults, WebhookFault

Build = Callable[[], tuple[dict[str, str], bytes]]

ATTEMPT_TIMEOUT_S = 20.0
FIRST_BACKOFF_S = 0.5
LOG_LENGTH = 1000


@dataclass(frozen=True)
class _Delivery:
    """One webhook on its way: `first` tells whether the first attempt was accepted, `stopping` gives it up."""

    service: str
    url: str
    build: Build
    retries: int
    delay_s: float
    on_accepted: Callable[[], None] | None
    stopping: threading.Event
    first: "Future[bool]" = field(default_factory=Future)


class Deliveries:
    """Sends webhooks as a service would: in the background, again and later when the answer is not 2xx."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._idle = threading.Condition()
        self._open = 0
        self._stopping = threading.Event()
        self._log: deque[dict[str, Any]] = deque(maxlen=LOG_LENGTH)

    def send(
        self,
        service: str,
        url: str,
        build: Build,
        *,
        retries: int = 6,
        wait_s: float = 0,
        fault: WebhookFault | None = None,
        on_accepted: Callable[[], None] | None = None,
    ) -> bool | None:
        """Deliver one webhook; `build` gives fresh headers and body for each attempt.

        `fault` is for a caller that has taken it already; without one the next waiting fault of the service applies.
        `on_accepted` is called from the sending thread when an attempt was accepted.
        Returns whether the first attempt was accepted, or None when nothing was known within `wait_s` seconds.
        """
        if not url:
            return None
        fault = fault or self._faults.take_webhook(service) or WebhookFault()
        if fault.drop:
            self._note(service, url, attempt=0, outcome="dropped")
            return None
        delivery = _Delivery(service, url, build, retries, fault.delay_ms / 1000, on_accepted, self._stopping)
        self._start(delivery)
        for _ in range(fault.duplicate - 1):
            self._start(replace(delivery, first=Future()))
        if not wait_s:
            return None
        try:
            return delivery.first.result(timeout=wait_s)
        except TimeoutError:
            return None

    def drain(self, timeout_s: float) -> bool:
        """Wait until nothing is on its way, retries included; False when that took longer than `timeout_s`."""
        with self._idle:
            return self._idle.wait_for(lambda: self._open == 0, timeout=timeout_s)

    def log(self) -> list[dict[str, Any]]:
        """Every attempt, oldest first: service, url, attempt, outcome (a status, or why there was none), at."""
        return list(self._log)

    def forget(self) -> None:
        """Empty the log and give up what is on its way."""
        self._stopping.set()
        self._stopping = threading.Event()
        self._log.clear()

    def stop(self) -> None:
        self._stopping.set()

    def _start(self, delivery: "_Delivery") -> None:
        with self._idle:
            self._open += 1
        name = f"webhook-{delivery.service}"
        threading.Thread(target=self._deliver, args=[delivery], name=name, daemon=True).start()

    def _deliver(self, delivery: "_Delivery") -> None:
        try:
            pause_s = delivery.delay_s
            for attempt in range(delivery.retries + 1):
                if delivery.stopping.wait(pause_s):
                    return
                outcome = _attempt(delivery.url, delivery.build)
                if delivery.stopping.is_set():
                    return
                self._note(delivery.service, delivery.url, attempt=attempt + 1, outcome=outcome)
                accepted = isinstance(outcome, int) and 200 <= outcome < 300
                if accepted and delivery.on_accepted:
                    delivery.on_accepted()
                if attempt == 0:
                    delivery.first.set_result(accepted)
                if accepted:
                    return
                pause_s = FIRST_BACKOFF_S * 2**attempt
        finally:
            if not delivery.first.done():
                delivery.first.set_result(False)
            with self._idle:
                self._open -= 1
                self._idle.notify_all()

    def _note(self, service: str, url: str, *, attempt: int, outcome: int | str) -> None:
        self._log.append(
            {"service": service, "url": hidden_query(url), "attempt": attempt, "outcome": outcome, "at": time.time()}
        )


def hidden_query(url: str) -> str:
    """The address without what may be a secret in its query."""
    return urlsplit(url)._replace(query="***").geturl() if "?" in url else url


def _attempt(url: str, build: Build) -> int | str:
    headers, body = build()
    parts = urlsplit(url)
    connection_class = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = connection_class(parts.netloc, timeout=ATTEMPT_TIMEOUT_S)
    path = parts.path or "/"
    try:
        connection.request("POST", f"{path}?{parts.query}" if parts.query else path, body=body, headers=headers)
        answer = connection.getresponse()
        answer.read()
        return answer.status
    except (OSError, http.client.HTTPException) as error:
        return f"{type(error).__name__}: {error}"
    finally:
        connection.close()
