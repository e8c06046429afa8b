import sys
from time import monotonic
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from payments.management.durations import duration
from payments.services.reconcile import reconcile
from payments.services.repairs import Run

PROGRESS_EVERY_S = 10


class Command(BaseCommand):
    help = "Repair what differs from Stripe; ends with 1 when something stays unrepaired. Safe to repeat."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--since", type=duration, default="48h", help="How far back: 90m, 48h, 30d (default 48h).")
        parser.add_argument("--dry-run", action="store_true", help="Ask Stripe and show, change and send nothing.")
        parser.add_argument("--limit", type=int, help="The most that each step takes up.")

    def handle(self, *args: Any, **options: Any) -> None:
        run = reconcile(
            window=options["since"],
            is_rehearsal=options["dry_run"],
            limit=options["limit"],
            progress=self._progress(),
        )
        self._print(run)
        if not run.is_all_well:
            sys.exit(1)

    def _progress(self) -> Any:
        last = monotonic()

        def tell(step: str) -> None:
            nonlocal last
            if monotonic() - last >= PROGRESS_EVERY_S:
                last = monotonic()
                self.stderr.write(f"… {step}")

        return tell

    def _print(self, run: Run) -> None:
        verb = "would change" if run.is_rehearsal else "changed"
        for step, count in run.counts.items():
            self.stdout.write(f"{step}: {count.looked_at} taken up, {count.changed} {verb}, {count.foreign} not ours")
        self._list([f"{verb}: {line}" for line in run.changes], run.more_changes)
        self._list([f"NOT REPAIRED {subject}: {text}" for subject, text in run.problems.items()], run.more_problems)
        self.stdout.write(f"{run.orders_waiting} orders need attention, {run.paid_for_nobody} payments are for nobody")
        if run.stopped:
            self.stdout.write(f"STOPPED EARLY {run.stopped}")
        left = len(run.problems) + run.more_problems
        self.stdout.write("Nothing stays unrepaired." if run.is_all_well else f"{left} stay unrepaired.")

    def _list(self, lines: list[str], more: int) -> None:
        for line in lines:
            self.stdout.write(line)
        if more:
            self.stdout.write(f"… and {more} more")
