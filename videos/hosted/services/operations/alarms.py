"""What should wake somebody: jobs that fail, licences that are refused, work that nobody takes."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core.cache import cache
from django.utils import timezone

from videos.hosted.models import FAILED_BY_ITSELF, Licence, Step, Transcode
from videos.hosted.services.licence_server.licence_limits import ISSUED
from videos.hosted.services.transcoding.transcodes import RUNNING
from videos.providers import failures

logger = logging.getLogger(__name__)

FAILED_JOBS = 3
FAILED_WITHIN = timedelta(minutes=5)
LICENCE_ERRORS = 10
"""In a minute, and in the minute before it."""
OVERDUE = timedelta(minutes=10)
QUIET_S = 3600
"""How long an alarm that goes on is not logged again."""


@dataclass(frozen=True, kw_only=True)
class Alarm:
    """`code` is stable; `detail` is one sentence with figures."""

    code: str
    level: int
    detail: str


def find_alarms() -> list[Alarm]:
    """What is alarming now; five statements at most, over minutes."""
    return list(_alarms(timezone.now()))


def raise_alarms() -> list[Alarm]:
    """Log what is alarming, each alarm when it begins and once an hour while it lasts; gives what is alarming."""
    found = find_alarms()
    codes = {alarm.code for alarm in found}
    for code in set(_CODES) - codes:
        cache.delete(_key(code))
    for alarm in found:
        if cache.add(_key(alarm.code), 1, QUIET_S):
            logger.log(alarm.level, "Our own video host: %s (%s)", alarm.detail, alarm.code)
    return found


_CODES = ("transcodes_failing", "licence_errors", "transcodes_overdue", "tools_missing")


def _alarms(now: datetime) -> Iterator[Alarm]:
    failed = Transcode.objects.filter(FAILED_BY_ITSELF, finished_at__gt=now - FAILED_WITHIN).count()
    if failed >= FAILED_JOBS:
        yield Alarm(code=_CODES[0], level=logging.ERROR, detail=f"{failed} transcodes failed within 5 minutes")
    refused = [_refused(now - timedelta(minutes=minutes)) for minutes in (0, 1)]
    if min(refused) >= LICENCE_ERRORS:
        told = f"{refused[0]} licences were refused within a minute, and {refused[1]} within the one before"
        yield Alarm(code=_CODES[1], level=logging.ERROR, detail=told)
    overdue = Step.objects.to_take(now - OVERDUE).count()
    if overdue:
        told = f"{overdue} steps of transcodes wait for more than 10 minutes: is their worker running?"
        yield Alarm(code=_CODES[2], level=logging.ERROR, detail=told)
    waiting = Transcode.objects.filter(state__in=RUNNING, failure_code=failures.TOOLS_MISSING).count()
    if waiting:
        told = f"{waiting} transcodes wait for ffmpeg or shaka-packager: see check_hosted"
        yield Alarm(code=_CODES[3], level=logging.WARNING, detail=told)


def _refused(until: datetime) -> int:
    within = Licence.objects.filter(created_at__gt=until - timedelta(minutes=1), created_at__lte=until)
    return within.exclude(result=ISSUED).count()


def _key(code: str) -> str:
    return f"videos.hosted.alarm.{code}"
