"""How many callers may wait for hosts at once, and when a host that is down is no longer asked."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum

from django.conf import settings

from videos.providers.exceptions import ProviderUnavailable

BUSY_RETRY_AFTER_S = 1.0


def host_calls_max() -> int:
    """Callers that may wait for hosts at once in this process: at most half the threads of the server."""
    return max(1, int(getattr(settings, "VIDEO_HOST_CALLS_MAX", 16)))


def breaker_failures() -> int:
    """Failures in a row after which a host is left alone."""
    return max(1, int(getattr(settings, "VIDEO_HOST_BREAKER_FAILURES", 5)))


def breaker_cool_down_s() -> float:
    """Seconds for which a host is left alone before one call tries it again."""
    return float(getattr(settings, "VIDEO_HOST_BREAKER_COOL_DOWN_S", 15))


class Bulkhead:
    """Lets `host_calls_max()` callers through; the others queue within their own deadline."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._in_use = 0

    @contextmanager
    def slot(self, *, until: float) -> Iterator[None]:
        """One of the slots; raises ProviderUnavailable (host_busy) when none is free by `until` (monotonic)."""
        with self._changed:
            free = self._changed.wait_for(
                lambda: self._in_use < host_calls_max(), timeout=max(0.0, until - time.monotonic())
            )
            if not free:
                raise ProviderUnavailable(
                    "Too many calls wait for video hosts.", code="host_busy", retry_after_s=BUSY_RETRY_AFTER_S
                )
            self._in_use += 1
        try:
            yield
        finally:
            with self._changed:
                self._in_use -= 1
                self._changed.notify()


class Outcome(Enum):
    """What one exchange says about the health of a host; UNTOLD says nothing."""

    ALIVE = "alive"
    FAILED = "failed"
    UNTOLD = "untold"


class CircuitBreaker:
    """Opens after failures in a row; after the cool-down it lets one probe through, and closes when that succeeds."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._failures = 0
        self._opened_at: float | None = None
        self._is_probing = False

    def refuse_if_open(self) -> None:
        """Raise ProviderUnavailable (host_circuit_open) unless a call could be admitted now."""
        with self._lock:
            self._refuse_if_open()

    def admit(self) -> bool:
        """Let one call through, and tell whether it is the probe; its outcome must be given to `report`.

        Raises ProviderUnavailable (host_circuit_open) with the rest of the cool-down in `retry_after_s`.
        """
        with self._lock:
            self._refuse_if_open()
            self._is_probing = self._opened_at is not None
            return self._is_probing

    def report(self, outcome: Outcome, *, is_probe: bool) -> None:
        """Count the outcome of an admitted call."""
        with self._lock:
            if is_probe:
                self._is_probing = False
            if outcome is Outcome.ALIVE:
                self._failures, self._opened_at = 0, None
            elif outcome is Outcome.FAILED:
                self._failures += 1
                if is_probe or (self._opened_at is None and self._failures >= breaker_failures()):
                    self._opened_at = time.monotonic()

    def _refuse_if_open(self) -> None:
        if self._opened_at is None:
            return
        wait_s = self._opened_at + breaker_cool_down_s() - time.monotonic()
        if wait_s > 0 or self._is_probing:
            raise ProviderUnavailable(
                "The video host is known to be down.", code="host_circuit_open", retry_after_s=max(wait_s, 1.0)
            )
