from django.apps import AppConfig
from django.core import checks

from videos.checks import check_providers


class VideosConfig(AppConfig):
    name = "videos"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = "Videos"

    def ready(self) -> None:
        checks.register(check_providers, "videos")
