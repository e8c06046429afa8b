from django.apps import AppConfig


class HostedConfig(AppConfig):
    name = "videos.hosted"
    label = "videos_hosted"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = "Videos on our own host"
