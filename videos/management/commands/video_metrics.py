import json
from typing import Any

from django.core.management.base import BaseCommand
from django.core.serializers.json import DjangoJSONEncoder

from videos.services.metrics import platform_metrics


class Command(BaseCommand):
    help = "Print the platform's metrics as JSON, as GET metrics/ gives them."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(json.dumps(platform_metrics(), cls=DjangoJSONEncoder, indent=2))
