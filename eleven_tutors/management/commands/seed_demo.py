from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from eleven_tutors.demo.seeding import PASSWORD, seed


class Command(BaseCommand):
    help = "Fills an installation with demo accounts and courses. Safe to repeat; runs with DEBUG on alone."

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEBUG:
            raise CommandError(
                "seed_demo makes accounts whose password everybody knows, an administrator's among them. "
                "It runs with DEBUG=1 alone."
            )
        seed(self.stdout.write)
        self.stdout.write(
            f"Done. Log in as student@demo.test, instructor@demo.test or admin@demo.test, password {PASSWORD}."
        )
