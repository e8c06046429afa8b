import sys
from typing import Any

from django.core.management.base import BaseCommand

from videos.services.unusual import find_unusual_use


class Command(BaseCommand):
    help = "Report viewers whose last 24 hours look unlike one person; ends with 1 when there is somebody new."

    def handle(self, *args: Any, **options: Any) -> None:
        findings = find_unusual_use()
        if not findings:
            self.stdout.write("nothing unusual in the last 24 hours")
            return
        self.stdout.write(f"{'viewer':>10}  {'figure':>6}  {'limit':>6}  {'new':3}  what")
        for found in findings:
            is_new = "yes" if found.is_new else ""
            what = found.kind.label
            self.stdout.write(f"{found.viewer_id:>10}  {found.figure:>6}  {found.limit:>6}  {is_new:3}  {what}")
        if any(found.is_new for found in findings):
            sys.exit(1)
