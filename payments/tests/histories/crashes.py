"""Lets the process die between any two database steps, as a power cut would: nothing of ours gets to clean up."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection

MARKS_SENT = 'UPDATE "mailing_outgoingmail" SET "status"'


class Crash(BaseException):
    """Not an Exception: what handles errors does not handle the end of its process.

    `loses_mark` tells that a mail had been handed over, and was not marked as sent any more.
    """

    def __init__(self, at: int, before: str) -> None:
        super().__init__(f"died at step {at}, before {before[:200]}")
        self.loses_mark = before.startswith(MARKS_SENT)


@contextmanager
def dying_at(step: int | None) -> Iterator[None]:
    """Raise Crash before the database step of that number in this thread; statements and both sides of COMMIT count.

    Without a connection nothing of the unfinished transaction is left, nor of what was to follow its commit.
    """
    if step is None:
        yield
        return
    left = step
    is_dead = False

    def pass_by(before: str) -> None:
        nonlocal left, is_dead
        if is_dead:
            return
        if left == 0:
            is_dead = True
            raise Crash(step, before)
        left -= 1

    def statement(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        pass_by(sql)
        return execute(sql, params, many, context)

    wrapper = connection._connections[connection._alias]
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
        with connection.execute_wrapper(statement):
            yield
    finally:
        del wrapper._commit
        if is_dead:
            connection.close()
