from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from videos.hosted.services.clearing.sweeping import chores, sweep


class Command(BaseCommand):
    help = "Go on with work that was left behind at our own host, and remove files, keys and rows that nobody needs."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="List what would be done; change nothing.")
        parser.add_argument(
            "--thorough", action="store_true", help="Look through all older rows and everything in the stores too."
        )
        parser.add_argument(
            "--remove-unknown",
            action="store_true",
            help="With --thorough: remove what lies in a store and no row of this database speaks of, once it is a day "
            "old. Never for a store that several databases share.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        how = {"is_thorough": options["thorough"], "removes_unknown": options["remove_unknown"]}
        if not options["dry_run"]:
            self.stdout.write(f"{sweep(**how)} pieces done")
            return
        for chore in chores(**how):
            self.stdout.write(f"would {chore.what}")
