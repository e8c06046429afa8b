import threading
from collections.abc import Callable

STOP_TIMEOUT_S = 5.0


class Later:
    """What a stand-in does after a while, on threads of its own, until it is stopped. `lock` is that of the state."""

    def __init__(self, lock: threading.RLock) -> None:
        self._lock = lock
        self._timers: set[threading.Timer] = set()
        self.is_stopped = False

    def call(self, pause_s: float, work: Callable[[str], None], key: str) -> None:
        """Call `work(key)` in `pause_s` seconds; nothing once stopped."""
        timer = threading.Timer(pause_s, work, [key])
        timer.daemon = True
        with self._lock:
            if self.is_stopped:
                return
            self._timers = {other for other in self._timers if other.is_alive()} | {timer}
            timer.start()

    def stop(self) -> None:
        """Give up what has not begun, and wait for what has."""
        with self._lock:
            self.is_stopped = True
            timers = list(self._timers)
        for timer in timers:
            timer.cancel()
            timer.join(timeout=STOP_TIMEOUT_S)
