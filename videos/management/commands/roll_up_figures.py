from typing import Any

from django.core.management.base import BaseCommand

from videos.services.rollup import roll_up


class Command(BaseCommand):
    help = "Add what was watched since the last time to the videos' figures."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--limit", type=int, default=1_000_000, help="Sessions at most (default: a million).")

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"{roll_up(limit=options['limit'])} sessions rolled up")
