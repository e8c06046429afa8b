"""A worker's hold on the step it is at: taken for a while, kept while it works, and noticed when it is lost."""

import logging
import threading
import time
from datetime import timedelta
from types import TracebackType

from django.db import DatabaseError, connection
from django.db.models import F, QuerySet
from django.utils import timezone

from videos.hosted.models import Step, StepState, Transcode
from videos.hosted.services.transcoding import showing
from videos.hosted.services.transcoding.transcodes import RUNNING

logger = logging.getLogger(__name__)

BEAT_S = 2.0
"""How often a worker looks whether there is progress to write."""
LEFT_BEHIND = "Its worker was not heard of any more."


class StepLost(Exception):
    """The step is another worker's by now, or nobody's: whatever was done counts no more."""


def take(transcode_id: int, *, lease_s: float) -> Step | None:
    """Take the next step of a job that is to be done now, for `lease_s`; None when there is none.

    A step that its worker left behind counts that as one more attempt.
    """
    while True:
        now = timezone.now()
        due = Step.objects.to_take(now)
        step = due.filter(transcode=transcode_id, transcode__state__in=RUNNING).first()
        if step is None:
            return None
        was_left = step.state == StepState.RUNNING
        taken = due.filter(pk=step.pk, fence=step.fence).update(
            state=StepState.RUNNING,
            fence=F("fence") + 1,
            attempts=F("attempts") + int(was_left),
            last_error=LEFT_BEHIND if was_left else step.last_error,
            lease_until=now + timedelta(seconds=lease_s),
            started_at=now,
        )
        if taken:
            step.fence, step.attempts, step.state = step.fence + 1, step.attempts + was_left, StepState.RUNNING
            step.started_at = now
            step.transcode = Transcode.objects.select_related("video").get(pk=transcode_id)
            return step


def held(step: Step) -> QuerySet[Step]:
    """The row of this step as long as this worker holds it; updating no row means that the step was lost."""
    return Step.objects.filter(pk=step.pk, fence=step.fence, state=StepState.RUNNING)


def require_held(step: Step) -> None:
    """Raises StepLost; inside a transaction that locked the job, so that it stays true until the commit."""
    if not held(step).exists():
        raise StepLost()


class Pulse:
    """Keeps the lease of a step while the block runs, in a thread of its own, and writes the step's progress.

    A worker that is at one long call (fetching a file of gigabytes) is not thought dead; one that is dead or stopped
    is, within the lease.
    """

    def __init__(self, step: Step, *, lease_s: float) -> None:
        self._step = step
        self._lease_s = lease_s
        self._beat_s = min(BEAT_S, lease_s / 6)
        self._share = self._written = 0.0
        self._renewed_at = time.monotonic()
        self._is_over, self._is_lost = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"pulse of step {step.pk}", daemon=True)

    def __enter__(self) -> "Pulse":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_over.set()
        self._thread.join()

    @property
    def share(self) -> float:
        return self._share

    def check(self) -> None:
        """Raises StepLost."""
        self.progress(self._share)

    def progress(self, share: float) -> None:
        """Note how much of the step is done, 0 to 1; raises StepLost. Waits for nothing."""
        if self._is_lost.is_set():
            raise StepLost()
        self._share = max(self._share, min(1.0, share))

    def _run(self) -> None:
        try:
            while not self._is_over.wait(self._beat_s) and not self._is_lost.is_set():
                self._try_to_beat()
        finally:
            connection.close()

    def _try_to_beat(self) -> None:
        is_old = time.monotonic() - self._renewed_at >= self._lease_s / 6
        if not is_old and self._share == self._written:
            return
        try:
            self._beat(self._share)
        except DatabaseError as error:
            connection.close()
            logger.warning("The lease of step %s could not be renewed: %s", self._step.pk, error)
        except Exception:
            logger.exception("The progress of transcode %s could not be shown.", self._step.transcode_id)

    def _beat(self, share: float) -> None:
        until = timezone.now() + timedelta(seconds=self._lease_s)
        if not held(self._step).update(lease_until=until, progress=share):
            self._is_lost.set()
            return
        self._renewed_at = time.monotonic()
        if share != self._written:
            self._written = share
            showing.show_progress(self._step.transcode_id)
