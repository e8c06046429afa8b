import logging
import signal
import time
from contextlib import suppress
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from videos.hosted.services.transcoding import steps, transcodes
from videos.services.host_calls import give_connection_back

WATCH_S = 2.0
BATCH = 100

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    help = (
        "Prepare the videos that wait at our own host, one after the other in this process: what a project without a "
        "task queue runs beside its server, with --watch. May run several times, on several machines."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--watch",
            action="store_true",
            help=f"Look for work every {WATCH_S:g} s until Ctrl-C or SIGTERM; what is begun then is left to the next.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        former = signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            with suppress(KeyboardInterrupt):
                self._work()
                while options["watch"]:
                    give_connection_back()
                    time.sleep(WATCH_S)
                    self._work()
        finally:
            signal.signal(signal.SIGTERM, former)

    def _work(self) -> None:
        """Until no job waits that was not tried."""
        tried: set[int] = set()
        while waiting := set(transcodes.waiting(most=BATCH)) - tried:
            for transcode_id in sorted(waiting):
                self._run(transcode_id)
            tried |= waiting

    def _run(self, transcode_id: int) -> None:
        self.stdout.write(f"transcode {transcode_id}")
        try:
            steps.run_steps(transcode_id)
        except Exception:
            logger.exception("Transcode %s could not be worked on.", transcode_id)
