"""The one way to ask for background work: name the task, pass ids."""

from functools import partial

from celery import current_app
from django.db import transaction


def enqueue(task_name: str, *args: int | str) -> None:
    """Send the Celery task `task_name` once the current transaction has committed.

    A message is only a doorbell: a broker that is down is logged and fails no request, because every piece of work that
    must not be lost is a row that a sweep finds.
    """
    transaction.on_commit(partial(_send, task_name, args), robust=True)


def _send(task_name: str, args: tuple[int | str, ...]) -> None:
    current_app.signature(task_name, args=args).apply_async()
