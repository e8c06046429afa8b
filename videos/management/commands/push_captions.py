from typing import Any

from django.core.management.base import BaseCommand

from videos.services.captions import push_due


class Command(BaseCommand):
    help = "Have captions sent to, and removed from, the hosts, as far as that is due."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"{push_due()} captions are on their way")
