from typing import Any

from django.core.management.base import BaseCommand

from videos.providers import features
from videos.providers.registry import providers


class Command(BaseCommand):
    help = (
        "Print what each kind of video host can do, as a Markdown table; with --configured, what those set up here can."
    )

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--configured", action="store_true", help="Only the hosts in VIDEO_PROVIDERS.")

    def handle(self, *args: Any, **options: Any) -> None:
        backends = features.known_backends()
        if options["configured"]:
            backends = list(dict.fromkeys(type(provider) for provider in providers.values()))
        self.stdout.write(features.matrix(backends))
