from typing import Any

from django.core.management.base import BaseCommand

from courses.services.updates import send_due


class Command(BaseCommand):
    help = "Make the mails of course updates that were to be sent and are not all made. Safe to repeat."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"{send_due()} mails made")
