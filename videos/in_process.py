"""Background work for a host project without a task queue: done in the caller's process, after the commit."""

from functools import partial

from django.db import transaction
from django.utils.module_loading import import_string


def enqueue(task_name: str, *args: int | str) -> None:
    """Run the task `videos.<name>` once the current transaction has committed; a failure is logged, not raised."""
    app, _, name = task_name.partition(".")
    transaction.on_commit(partial(import_string(f"{app}.tasks.{name}"), *args), robust=True)
