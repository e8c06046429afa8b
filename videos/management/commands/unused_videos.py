from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from videos.management.table import table
from videos.models import Video
from videos.services.monitoring import UNUSED_DAYS, find_unused


class Command(BaseCommand):
    help = "List ready videos that nobody has started for a while: they cost storage."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--days", type=int, default=UNUSED_DAYS, help="How long a while is.")

    def handle(self, *args: Any, **options: Any) -> None:
        rows = [self._row(video) for video in find_unused(days=options["days"])]
        if rows:
            self.stdout.write(table(["id", "title", "host", "minutes", "last started"], rows))
        self.stdout.write(f"{len(rows)} videos have not been started for {options['days']} days.")

    def _row(self, video: Video) -> tuple[Any, ...]:
        asset = video.get_current_asset()
        minutes = "-" if asset is None or asset.duration_s is None else f"{asset.duration_s / 60:.1f}"
        last = getattr(video, "last_started_at", None) or "never"
        return video.pk, video.title, asset.provider if asset else "-", minutes, last
