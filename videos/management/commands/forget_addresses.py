from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from videos.services.addresses_kept import forget_addresses, rows_to_forget


class Command(BaseCommand):
    help = "Forget viewers' addresses and browsers' names older than VIDEO_ADDRESS_DAYS. Meant for a daily run."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="Say how many rows there are, and change none.")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["dry_run"]:
            count = sum(rows.count() for rows in rows_to_forget(timezone.now()))
            self.stdout.write(f"{count} rows hold an address that is to be forgotten.")
            return
        count = forget_addresses(on_batch=lambda done: self.stdout.write(f"{done} rows …"))
        self.stdout.write(f"{count} rows have forgotten their address.")
