from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from videos.services.reaping import overdue_uploads, reap_uploads


class Command(BaseCommand):
    help = "Give up uploads that never came, here and at their hosts."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="List what is overdue; ask and change nothing.")

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["dry_run"]:
            self.stdout.write(f"{reap_uploads()} uploads given up")
            return
        for asset in overdue_uploads():
            self.stdout.write(f"{asset} {asset.video_id} “{asset.video}” ticket ended {asset.upload_expires_at:%F %R}")
