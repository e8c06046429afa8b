from importlib import import_module

from django.apps import AppConfig, apps
from django.db.models.signals import post_migrate
from django.utils.module_loading import autodiscover_modules


class ElevenTutorsConfig(AppConfig):
    name = "eleven_tutors"
    verbose_name = "11Tutors"

    def ready(self) -> None:
        autodiscover_modules("tasks")
        groups = import_module("eleven_tutors.groups")
        import_module("users.services").on_close(import_module("eleven_tutors.accounts").end_viewings)
        import_module("eleven_tutors.video_mails").connect()
        # Sent app by app: the last one with models finds every app's permissions made.
        post_migrate.connect(groups.give_groups_their_permissions, sender=apps.get_app_config("payments"))
