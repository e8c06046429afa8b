"""Plain content keys in the memory of this process, for a minute at most."""

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

KEPT_S = 60.0
KEPT_MAX = 1000

_Place = tuple[str, tuple[tuple[str, str], ...]]


@dataclass(kw_only=True)
class PlainKeys:
    """Found again by wrapped key and context together: a row that was changed finds nothing here.

    A timer forgets them, so that a process without work keeps none longer than a busy one.
    """

    kept_s: float = KEPT_S
    _kept: dict[_Place, tuple[float, bytes]] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _timer: threading.Timer | None = field(default=None, repr=False)

    def get(self, blob: str, context: Mapping[str, str]) -> bytes | None:
        with self._lock:
            self._drop_old()
            found = self._kept.get(_place(blob, context))
        return found[1] if found else None

    def put(self, blob: str, context: Mapping[str, str], plain: bytes) -> None:
        with self._lock:
            self._drop_old()
            place = _place(blob, context)
            self._kept.pop(place, None)
            if len(self._kept) >= KEPT_MAX:
                self._kept.pop(next(iter(self._kept)))
            self._kept[place] = (time.monotonic() + self.kept_s, plain)
            self._set_timer()

    def forget(self, blob: str) -> None:
        """Forget the key of this blob, or of them all with an empty one."""
        with self._lock:
            self._kept = {place: kept for place, kept in self._kept.items() if blob and place[0] != blob}

    def __len__(self) -> int:
        return len(self._kept)

    def _set_timer(self) -> None:
        # A timer that was running in the parent of a fork is not alive in the child.
        if self._timer is None or not self._timer.is_alive():
            oldest_until, _ = next(iter(self._kept.values()))
            self._timer = threading.Timer(max(0.0, oldest_until - time.monotonic()), self._on_time)
            self._timer.daemon = True
            self._timer.start()

    def _on_time(self) -> None:
        with self._lock:
            self._drop_old()
            self._timer = None
            if self._kept:
                self._set_timer()

    def _drop_old(self) -> None:
        now = time.monotonic()
        # In the order of their end, as all are kept for the same time.
        while self._kept and next(iter(self._kept.values()))[0] <= now:
            self._kept.pop(next(iter(self._kept)))


def _place(blob: str, context: Mapping[str, str]) -> _Place:
    return blob, tuple(sorted(context.items()))


plain_keys = PlainKeys()
