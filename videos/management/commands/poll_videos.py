from typing import Any

from django.core.management.base import BaseCommand

from videos.services.assets import poll_assets


class Command(BaseCommand):
    help = "Have the hosts asked about every video that is not ready, as far as it is due."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"{poll_assets()} videos asked about")
