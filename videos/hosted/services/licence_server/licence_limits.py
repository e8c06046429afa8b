"""How many licences are given, and how many refusals are written down.

Licences are counted from their records, so that all processes count the same. The count is read before a licence is
given, without a lock: those that are asked for at the same moment may pass together, as many as are answered at once.
Refusals are bounded in each process, without a query: a stranger who sends garbage fills no table.
"""

import logging
import math
import threading
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from videos.hosted.models import Licence
from videos.services.errors import TooManyLicences

logger = logging.getLogger(__name__)

ISSUED = "issued"
WINDOW = timedelta(minutes=5)
PER_VIDEO = 200
"""Times `licences_per_5_min`: a whole year may start one video at once."""
PER_ADDRESS = 20
"""Times `licences_per_5_min`: a school has one address."""
COUNTED_MAX = 20_000
"""Counting goes no further."""
NOTED_PER_SOURCE = 60
"""Refusals of one address, or of one session, that are written down in five minutes."""
NOTED_IN_ALL = 2000
SOURCES_MAX = 10_000


@dataclass(frozen=True, kw_only=True)
class Count:
    """Licences given in the last five minutes to all that share `column`.

    `user_id`, `session_id`, `video_id` or `ip`.
    """

    column: str
    value: Any
    given: int
    limit: int


def require_room(counts: list[Count], now: datetime) -> None:
    """Raise TooManyLicences, with when there is room again, unless every count is below its limit."""
    full = next((count for count in counts if count.given >= count.limit), None)
    if full is None:
        return
    given = Licence.objects.filter(result=ISSUED, created_at__gt=now - WINDOW, **{full.column: full.value})
    times = given.order_by("-created_at").values_list("created_at", flat=True)[full.limit - 1 : full.limit]
    wait_s = max(((at + WINDOW - now).total_seconds() for at in times), default=0)
    raise TooManyLicences(retry_after_s=max(1, math.ceil(wait_s)))


@dataclass(kw_only=True)
class RefusalQuota:
    """Whether one more refusal is written down; counts begin anew every five minutes."""

    _ends_at: float = 0
    _noted: dict[str, int] = field(default_factory=dict)
    _in_all: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def take(self, *sources: str) -> bool:
        """Count a refusal of these sources; False when one of them, or all of them together, had their share."""
        with self._lock:
            if self._ends_at <= time.monotonic():
                self.reset()
            is_full = self._in_all >= NOTED_IN_ALL or len(self._noted) >= SOURCES_MAX
            if is_full or any(self._noted.get(source, 0) >= NOTED_PER_SOURCE for source in sources):
                return False
            self._in_all += 1
            for source in sources:
                self._noted[source] = self._noted.get(source, 0) + 1
            if self._in_all == NOTED_IN_ALL:
                logger.warning("%s licences were refused in five minutes; more are not written down.", NOTED_IN_ALL)
            return True

    def reset(self) -> None:
        self._ends_at = time.monotonic() + WINDOW.total_seconds()
        self._noted, self._in_all = {}, 0


refusal_quota = RefusalQuota()
