from typing import Any

from django.core.management.base import BaseCommand

from payments.services.expiry import expire_orders


class Command(BaseCommand):
    help = "Close orders whose checkout ran out, after asking Stripe what became of them. Safe to repeat."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(str(expire_orders()))
