import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from videos.management.table import table
from videos.services.monitoring import STUCK_HOURS, ask_about_stuck, find_stuck


class Command(BaseCommand):
    help = "Ask the hosts about videos that have been in preparation for too long; ends with 1 when some are stuck."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--hours", type=float, default=STUCK_HOURS, help="How long is too long.")
        parser.add_argument("--dry-run", action="store_true", help="List them without asking the hosts.")

    def handle(self, *args: Any, **options: Any) -> None:
        look = find_stuck if options["dry_run"] else ask_about_stuck
        stuck = look(hours=options["hours"])
        if not stuck:
            self.stdout.write("No video is stuck.")
            return
        rows = [
            (asset.video.title, asset.provider, asset.host_id, asset.status, asset.host_status, asset.created_at)
            for asset in stuck
        ]
        self.stdout.write(table(["title", "host", "id at the host", "status", "host's word", "since"], rows))
        sys.exit(1)
