"""Writes down every change of a state as the database sees it, so that a step back shows even if it was mended."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from django.db import connection

WATCHED = (
    ("payments_order", "status"),
    ("payments_order", "fulfilled_at"),
    ("payments_orderitem", "access"),
    ("payments_payment", "status"),
    ("payments_payment", "session_id"),
    ("payments_payment", "revision"),
    ("payments_refund", "status"),
    ("payments_refund", "stripe_id"),
    ("payments_dispute", "status"),
    ("payments_webhookevent", "handled_at"),
    ("mailing_outgoingmail", "status"),
)
_FUNCTION = """
CREATE FUNCTION note_change() RETURNS trigger AS $$
BEGIN
  INSERT INTO history_audit (name, row_id, old, new)
  VALUES (TG_TABLE_NAME || '.' || TG_ARGV[0], OLD.id, to_jsonb(OLD) ->> TG_ARGV[0], to_jsonb(NEW) ->> TG_ARGV[0]);
  RETURN NULL;
END $$ LANGUAGE plpgsql
"""


class Change(NamedTuple):
    name: str
    row_id: int
    old: str | None
    new: str | None


@contextmanager
def auditing() -> Iterator[None]:
    """Have the database note changes; only those that were committed are seen."""
    is_postgres = connection.vendor == "postgresql"
    key = "bigserial PRIMARY KEY" if is_postgres else "integer PRIMARY KEY"
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE history_audit (id {key}, name text, row_id bigint, old text, new text)")
        if is_postgres:
            cursor.execute(_FUNCTION)
        for table, field in WATCHED:
            cursor.execute(_trigger(table, field, is_postgres=is_postgres))
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            for table, field in WATCHED:
                on_table = f" ON {table}" if is_postgres else ""
                cursor.execute(f"DROP TRIGGER note_{table}_{field}{on_table}")
            if is_postgres:
                cursor.execute("DROP FUNCTION note_change")
            cursor.execute("DROP TABLE history_audit")


def changes() -> list[Change]:
    """All committed changes, in their order."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, row_id, old, new FROM history_audit ORDER BY id")
        return [Change(*row) for row in cursor.fetchall()]


def _trigger(table: str, field: str, *, is_postgres: bool) -> str:
    head = f"CREATE TRIGGER note_{table}_{field} AFTER UPDATE OF {field} ON {table} FOR EACH ROW WHEN "
    if is_postgres:
        return f"{head} (OLD.{field} IS DISTINCT FROM NEW.{field}) EXECUTE FUNCTION note_change('{field}')"
    return (
        f"{head} OLD.{field} IS NOT NEW.{field} BEGIN INSERT INTO history_audit (name, row_id, old, new) "
        f"VALUES ('{table}.{field}', OLD.id, OLD.{field}, NEW.{field}); END"
    )
