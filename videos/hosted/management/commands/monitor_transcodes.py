import sys
import time
from contextlib import suppress
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from videos.hosted.models import Transcode, TranscodeState
from videos.hosted.services.operations.monitoring import running_and_failed
from videos.hosted.services.transcoding.choices import failure_code_of, words_of
from videos.management.table import table

WATCH_S = 2.0
SHOWN_MAX = 50


class Command(BaseCommand):
    help = "List what our own host prepares now, and what failed lately; ends with 1 when something did."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--hours", type=float, default=24, help="How long ago a failure may be.")
        parser.add_argument("--watch", action="store_true", help=f"Show it again every {WATCH_S:g} s until Ctrl-C.")

    def handle(self, *args: Any, **options: Any) -> None:
        within = timedelta(hours=options["hours"])
        if options["watch"]:
            with suppress(KeyboardInterrupt):
                self._watch(within)
        elif self._show(within):
            sys.exit(1)

    def _watch(self, within: timedelta) -> None:
        while True:
            self.stdout.write(f"\x1b[H\x1b[J{timezone.now():%H:%M:%S} UTC")
            self._show(within)
            self.stdout.flush()
            time.sleep(WATCH_S)

    def _show(self, within: timedelta) -> bool:
        """Print the jobs; gives whether one failed."""
        jobs = list(running_and_failed(failed_within=within)[:SHOWN_MAX])
        titles = ["title", "state", "doing", "done", "since", "why"]
        self.stdout.write(table(titles, [_row(job) for job in jobs]) if jobs else "Nothing is prepared now.")
        return any(job.state == TranscodeState.FAILED for job in jobs)


def _row(job: Transcode) -> tuple[object, ...]:
    since = job.finished_at or job.started_at or job.created_at
    why = failure_code_of(job) and f"{failure_code_of(job)} {job.failure_detail[:60]}".strip()
    step = words_of(job, job.running_steps)  # type: ignore[attr-defined]
    done, moment = f"{job.progress_percent} %", f"{since:%d %b %H:%M}"
    return (str(job.video), job.state, step, done, moment, why)
