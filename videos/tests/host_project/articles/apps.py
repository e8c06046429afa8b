from django.apps import AppConfig


class ArticlesConfig(AppConfig):
    name = "host_project.articles"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from host_project.articles import listeners  # noqa: PLC0415 (needs the models)

        listeners.connect()
