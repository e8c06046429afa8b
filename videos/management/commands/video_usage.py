import sys
from typing import Any

from django.core.management.base import BaseCommand

from videos.management.table import table
from videos.services.monitoring import measure_usage


class Command(BaseCommand):
    help = "Show what the accounts at the hosts use of their plans (VIDEO_PLANS); ends with 1 from 80 % on."

    def handle(self, *args: Any, **options: Any) -> None:
        usage = measure_usage()
        rows = [
            (
                item.alias,
                item.name,
                f"{item.used:.2f}",
                "-" if item.limit is None else f"{item.limit:.2f}",
                "-" if item.share is None else f"{item.share:.0%}",
            )
            for item in usage.quantities
        ]
        rows += [(alias, "unknown", "-", "-", code) for alias, code in usage.failures]
        self.stdout.write(table(["host", "quantity", "used", "limit", "share"], rows))
        if any(item.is_nearly_used_up for item in usage.quantities):
            sys.exit(1)
