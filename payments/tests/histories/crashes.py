"""Lets the process die between any two database steps, as a power cut would: nothing of ours gets to clean up."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections

PAUSE_S = 0.1
MARKS_SENT = 'UPDATE "mailing_outgoingmail" SET "status"'


class Crash(BaseException):
    """Not an Exception: what handles errors does not handle the end of its process.

    `loses_mark` tells that a mail had been handed over, and was not marked as sent any more.
    """

    def __init__(self, at: int, before: str) -> None:
        super().__init__(f"died at step {at}, before {before[:200]}")
        self.loses_mark = before.startswith(MARKS_SENT)


@contextmanager
def dying_at(step: int | None, *, pausing_at: int | None = None) -> Iterator[None]:
    """Raise Crash before the database step of that number in this thread; statements and both sides of COMMIT count.

    Without a connection nothing of the unfinished transaction is left, nor of what was to follow its commit. At the
    step of `pausing_at` the process is left waiting for a moment, as a busy machine does, while others go on.
    """
    if step is None and pausing_at is None:
        yield
        return
    passed = -1
    is_dead = False

    def pass_by(before: str) -> None:
        nonlocal passed, is_dead
        passed += 1
        if passed == pausing_at:
            time.sleep(PAUSE_S)
        if passed == step:
            is_dead = True
            raise Crash(passed, before)

    def statement(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        pass_by(sql)
        return execute(sql, params, many, context)

    wrapper = connections[DEFAULT_DB_ALIAS]
    commit = wrapper._commit

    def committing() -> None:
        try:
            pass_by("COMMIT")
        except Crash:
            wrapper.connection.rollback()
            raise
        commit()
        pass_by("what follows COMMIT")

    wrapper._commit = committing
    try:
        with wrapper.execute_wrapper(statement):
            yield
    finally:
        del wrapper._commit
        if is_dead:
            wrapper.close()
