from django.apps import AppConfig
from django.core import checks


class VideosConfig(AppConfig):
    name = "videos"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = "Videos"

    def ready(self) -> None:
        from videos.checks import check_providers, check_routes  # noqa: PLC0415  models are not loaded before

        checks.register(check_providers, "videos")
        checks.register(check_routes, "videos")
