from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class ElevenTutorsConfig(AppConfig):
    name = "eleven_tutors"
    verbose_name = "11Tutors"

    def ready(self) -> None:
        autodiscover_modules("tasks")
