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
        self._changed = threading.Condition()
        self._resting = 0
        self._is_awaited = False

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
        with self._changed:
            self._is_awaited = True
            self._changed.notify_all()
        self._queue.join()
        self._is_awaited = False
        if self._failures:
            first, self._failures = self._failures[0], []
            raise first

    def wait_for_rest(self) -> None:
        """Until all that was given is done or resting."""
        with self._changed:
            self._changed.wait_for(self._is_quiet, PATIENCE_S)

    def rest(self) -> None:
        """Called by work: hold it up until `wait` is called and everything else is done."""
        with self._changed:
            self._resting += 1
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._is_awaited and self._is_quiet(), PATIENCE_S)
            self._resting -= 1

    def _is_quiet(self) -> bool:
        return self._queue.unfinished_tasks <= self._resting

    def _labour(self) -> None:
        try:
            while (work := self._queue.get()) is not None:
                try:
                    work()
                except BaseException as error:  # shown by `wait`, in the thread of the test
                    self._failures.append(error)
                finally:
                    with self._changed:
                        self._queue.task_done()
                        self._changed.notify_all()
        finally:
            connection.close()
