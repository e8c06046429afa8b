import sys
from typing import Any

from django.core.management.base import BaseCommand

from payments.services.account_check import check_account


class Command(BaseCommand):
    help = "Look whether the account at Stripe is set up as this installation needs it; ends with 1 when it is not."

    def handle(self, *args: Any, **options: Any) -> None:
        findings = check_account()
        for finding in findings:
            self.stdout.write(f"{'ok ' if finding.is_well else 'BAD'} {finding.message} {finding.hint}".rstrip())
        if not all(finding.is_well for finding in findings):
            sys.exit(1)
