"""Background work for a host project without a task queue: done in the caller's process, after the commit."""

from django.db import transaction
from django.utils.module_loading import import_string

LONG = ("videos.hosted.run_steps",)
"""Work that may take hours: no request waits for it, `manage.py run_transcodes --watch` finds and does it."""


def enqueue(task_name: str, *args: int | str) -> None:
    """Run the task `<app>.<name>` once the current transaction has committed; a failure is logged, not raised.

    What is `LONG` is left alone.
    """
    if task_name in LONG:
        return
    app, _, name = task_name.rpartition(".")
    task = import_string(f"{app}.tasks.{name}")

    # Django names a robust callback that failed in its log, which a functools.partial has no name for.
    def run() -> None:
        task(*args)

    transaction.on_commit(run, robust=True)
