import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from videos.hosted.hosts import HostParts, hosts
from videos.hosted.seams.keys import KeyStoreUnavailable
from videos.hosted.services.content_keys.rewrapping import BATCH, Rewrapped, left_by_wrapper, rewrap


class Command(BaseCommand):
    help = (
        "Move wrapped content keys to the primary key-encryption key. Can be stopped and run again at any time; ends "
        "with 1 when a key could not be opened."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="Count the keys to be moved, and move none.")
        parser.add_argument("--batch", type=int, default=BATCH, help="Rows between two lines of progress.")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["batch"] < 1:
            raise CommandError("--batch must be at least 1.")
        try:
            unreadable = sum(self._move(alias, parts, options) for alias, parts in hosts().items())
        except KeyStoreUnavailable as error:
            raise CommandError(f"{error} What was moved stays moved; run this again.") from error
        if unreadable:
            sys.exit(1)

    def _move(self, alias: str, parts: HostParts, options: dict[str, Any]) -> int:
        primary = parts.get_key_store().primary
        left = left_by_wrapper(alias, primary)
        total = sum(left.values())
        for wrapper, count in left.items():
            self.stdout.write(f"{alias}: {count} content keys are under {wrapper}")
        if options["dry_run"] or not total:
            self.stdout.write(f"{alias}: {total} content keys to be moved to {primary}")
            return 0
        done = rewrap(alias, parts, batch=options["batch"], on_batch=lambda done: self._tell(alias, done, total))
        self.stdout.write(
            f"{alias}: {done.moved} content keys moved to {primary}, {done.moved_elsewhere} by somebody else, "
            f"{done.unreadable} cannot be opened"
        )
        return done.unreadable

    def _tell(self, alias: str, done: Rewrapped, total: int) -> None:
        filled = min(20, 20 * done.seen // total)
        self.stdout.write(f"{alias}: [{'#' * filled}{'.' * (20 - filled)}] {done.seen} of {total}")
