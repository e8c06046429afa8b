import os

from celery import Celery
from kombu.transport.sqlalchemy import Transport

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "eleven_tutors.settings")

# On the embedded broker a worker whose hands are full sleeps this long, a second by default, before it looks again. As
# a transport option it would be handed on to create_engine, which refuses it:
# https://github.com/celery/kombu/blob/main/kombu/transport/sqlalchemy/__init__.py
Transport.polling_interval = 0.1

app = Celery("eleven_tutors")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
