from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from payments.management.durations import duration
from payments.services.pruning import prune_webhook_events


class Command(BaseCommand):
    help = "Delete handled events of Stripe that are old. Those that wait for their work are kept."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--older-than", type=duration, help="Such as 90d (default: PAYMENTS_EVENTS_KEPT_DAYS).")
        parser.add_argument("--dry-run", action="store_true", help="Count only.")

    def handle(self, *args: Any, **options: Any) -> None:
        count = prune_webhook_events(older_than=options["older_than"], is_rehearsal=options["dry_run"])
        self.stdout.write(f"{count} events {'would be deleted' if options['dry_run'] else 'deleted'}")
