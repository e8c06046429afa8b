from django.apps import AppConfig


class UsersConfig(AppConfig):
    name = "users"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = "Accounts"

    def ready(self) -> None:
        from users.services.mails import register_mails  # noqa: PLC0415  models are not loaded before

        register_mails()
