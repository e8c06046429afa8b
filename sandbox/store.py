import json
import sqlite3
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

Record = dict[str, Any]
Value = str | int | bool
INDEXED = (("created",), ("payment_intent",), ("charge",), ("pending_webhooks",), ("status", "expires_at"))


class Where(NamedTuple):
    """What a field of a record must be: `path` may reach into it ("a.b"), `operator` is SQL's."""

    path: str
    operator: Literal["=", "<", "<=", ">", ">=", "GLOB", "IN"]
    value: Value | Sequence[str]


class Store:
    """Named collections of JSON records in insertion order, kept in one SQLite file (or in memory).

    Hold `lock` around a read followed by a write; single calls lock themselves.
    """

    def __init__(self, path: Path | None) -> None:
        self.lock = threading.RLock()
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(path or ":memory:", check_same_thread=False, isolation_level=None)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = OFF")
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS records (position INTEGER PRIMARY KEY, collection TEXT NOT NULL, "
            "key TEXT NOT NULL, value TEXT NOT NULL, UNIQUE (collection, key))"
        )
        self._db.execute("CREATE INDEX IF NOT EXISTS in_order ON records (collection, position)")
        for fields in INDEXED:
            columns = ", ".join(f"json_extract(value, '$.{field}')" for field in fields)
            self._db.execute(
                f"CREATE INDEX IF NOT EXISTS by_{'_'.join(fields)} ON records (collection, {columns}) "
                f"WHERE json_extract(value, '$.{fields[0]}') IS NOT NULL"
            )

    def get(self, collection: str, key: str) -> Record | None:
        with self.lock:
            row = self._db.execute(
                "SELECT value FROM records WHERE collection = ? AND key = ?", (collection, key)
            ).fetchone()
        return json.loads(row[0]) if row else None

    def put(self, collection: str, key: str, value: Record) -> None:
        with self.lock:
            self._db.execute(
                "INSERT INTO records (collection, key, value) VALUES (?, ?, ?) "
                "ON CONFLICT (collection, key) DO UPDATE SET value = excluded.value",
                (collection, key, json.dumps(value)),
            )

    def delete(self, collection: str, key: str) -> None:
        with self.lock:
            self._db.execute("DELETE FROM records WHERE collection = ? AND key = ?", (collection, key))

    def values(self, collection: str) -> list[Record]:
        with self.lock:
            rows = self._db.execute(
                "SELECT value FROM records WHERE collection = ? ORDER BY position", (collection,)
            ).fetchall()
        return [json.loads(value) for (value,) in rows]

    def search(
        self,
        collection: str,
        where: Sequence[Where] = (),
        *,
        after: str | None = None,
        before: str | None = None,
        limit: int = -1,
    ) -> list[Record]:
        """At most `limit` fitting records, newest first: those next `after` (older) or `before` (newer) a key."""
        tests, values = ["collection = ?"], [collection]
        for path, operator, value in where:
            several = isinstance(value, (list, tuple))
            tests.append(f"json_extract(value, '$.{path}') {operator} {_marks(value) if several else '?'}")
            values += value if several else [value]
        for key, operator in ((after, "<"), (before, ">")):
            if key is not None:
                tests.append(f"position {operator} (SELECT position FROM records WHERE collection = ? AND key = ?)")
                values += [collection, key]
        order = "ASC" if before is not None else "DESC"
        query = f"SELECT value FROM records WHERE {' AND '.join(tests)} ORDER BY position {order} LIMIT ?"
        with self.lock:
            rows = self._db.execute(query, [*values, limit]).fetchall()
        found = [json.loads(value) for (value,) in rows]
        return found[::-1] if before is not None else found

    def clear(self, prefix: str = "") -> None:
        """Forget every record whose collection name starts with `prefix`."""
        with self.lock:
            self._db.execute("DELETE FROM records WHERE substr(collection, 1, ?) = ?", (len(prefix), prefix))

    def close(self) -> None:
        with self.lock:
            self._db.close()


def _marks(values: Sequence[str]) -> str:
    return f"({', '.join('?' * len(values))})"
