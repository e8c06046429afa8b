import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "eleven_tutors.settings")

app = Celery("eleven_tutors")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
