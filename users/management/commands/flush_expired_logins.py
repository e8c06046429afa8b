from typing import Any

from django.core.management.base import BaseCommand

from users.services import flush_expired_tokens


class Command(BaseCommand):
    help = "Deletes refresh tokens past their end and counts of attempts whose window is over."

    def handle(self, *args: Any, **options: Any) -> None:
        flush_expired_tokens()
