"""The one way to ask for background work: name the task, pass ids."""

from celery import current_app
from django.db import transaction


def enqueue(task_name: str, *args: int | str) -> None:
    """Send the Celery task `task_name` once the current transaction has committed.

    A message is only a doorbell: a broker that is down is logged and fails no request, because every piece of work that
    must not be lost is a row that a sweep finds.
    """

    def send() -> None:
        current_app.signature(task_name, args=args).apply_async()

    # Django names a robust callback that failed in its log, which a functools.partial has no name for.
    transaction.on_commit(send, robust=True)
