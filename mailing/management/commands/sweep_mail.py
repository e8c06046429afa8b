from typing import Any

from django.core.management.base import BaseCommand

from mailing.services import sweep


class Command(BaseCommand):
    help = "Wakes a worker for every mail that is due and was not sent."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"{sweep()} mails asked for.")
