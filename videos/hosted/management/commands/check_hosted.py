import json
import sys
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from videos.hosted.services.operations.checking import check_hosts
from videos.management.table import table


class Command(BaseCommand):
    help = "Check tools, store, keys, disk, queue and delivery of our own video host; ends with 1 when one is broken."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="Print the findings as JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        findings = check_hosts()
        if options["json"]:
            self.stdout.write(json.dumps([asdict(finding) for finding in findings], indent=2))
        else:
            rows = [(finding.level, finding.host, finding.about, finding.detail) for finding in findings]
            self.stdout.write(table(["", "host", "about", "found"], rows))
        if any(finding.level == "error" for finding in findings):
            sys.exit(1)
