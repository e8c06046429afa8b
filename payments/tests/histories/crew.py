import queue
import threading
from collections.abc import Callable
from typing import Self

from django.db import connection

WORKERS = 8
PATIENCE_S = 60.0
Work = Callable[[], None]


class Crew:
    """Eight workers that take work as it comes; each keeps a database connection of its own until the crew goes."""

    def __init__(self) -> None:
        self._queue: queue.Queue[Work | None] = queue.Queue()
        self._threads = [threading.Thread(target=self._labour, daemon=True) for _ in range(WORKERS)]
        self._failures: list[BaseException] = []

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        for _ in self._threads:
            self._queue.put(None)
        for thread in self._threads:
            thread.join(PATIENCE_S)

    def give(self, work: Work) -> None:
        self._queue.put(work)

    def wait(self) -> None:
        """Until all that was given is done; raises the first error that some work did not handle."""
        self._queue.join()
        if self._failures:
            first, self._failures = self._failures[0], []
            raise first

    def _labour(self) -> None:
        try:
            while (work := self._queue.get()) is not None:
                try:
                    work()
                except BaseException as error:  # shown by `wait`, in the thread of the test
                    self._failures.append(error)
                finally:
                    self._queue.task_done()
        finally:
            connection.close()
