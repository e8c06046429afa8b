from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand

from videos.services.pruning import prune


class Command(BaseCommand):
    help = "Delete sessions that are in the figures and old, and old hooks. Figures and progress stay."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--days", type=int, help="Age of sessions (default: VIDEO_SESSION_DAYS).")
        parser.add_argument("--hook-days", type=int, help="Age of hooks (default: VIDEO_HOOK_DAYS).")
        parser.add_argument("--dry-run", action="store_true", help="Count only.")

    def handle(self, *args: Any, **options: Any) -> None:
        pruned = prune(
            session_days=options["days"],
            hook_days=options["hook_days"],
            is_rehearsal=options["dry_run"],
            report=lambda name, count: self.stdout.write(f"{count} {name} ..."),
        )
        verb = "would be deleted" if options["dry_run"] else "deleted"
        for name, count in asdict(pruned).items():
            self.stdout.write(f"{count} {name.replace('_', ' ')} {verb}")
