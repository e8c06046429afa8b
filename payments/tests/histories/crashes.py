"""Lets the process die between any two database steps, as a power cut would: nothing of ours gets to clean up."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections

Execute = Callable[..., Any]
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
    passed = -1

    def pass_by(before: str) -> None:
        nonlocal passed
        passed += 1
        if passed == step:
            raise Crash(passed, before)

    def statement(execute: Execute, sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
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
        if passed >= step:
            wrapper.close()


@contextmanager
def held_up_before(transaction: int | None, rest: Callable[[], None]) -> Iterator[None]:
    """Call `rest` before the first statement of the transaction of that number, when nothing is locked yet.

    The first transaction of a delivery notes the event; the second applies what Stripe has said by then.
    """
    if transaction is None:
        yield
        return
    wrapper = connections[DEFAULT_DB_ALIAS]
    begun = 0
    is_inside = False

    def statement(execute: Execute, sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        nonlocal begun, is_inside
        begins = sql.startswith("BEGIN")  # SQLite says so, PostgreSQL begins with the first statement
        is_inside = is_inside and wrapper.in_atomic_block
        if begins or (wrapper.in_atomic_block and not is_inside):
            if begun == transaction:
                rest()
            begun += 1
            is_inside = True
        return execute(sql, params, many, context)

    with wrapper.execute_wrapper(statement):
        yield
