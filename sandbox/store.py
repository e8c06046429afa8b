import json
import sqlite3
import threading
from pathlib import Path
from typing import Any

Record = dict[str, Any]


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

    def clear(self, prefix: str = "") -> None:
        """Forget every record whose collection name starts with `prefix`."""
        with self.lock:
            self._db.execute("DELETE FROM records WHERE substr(collection, 1, ?) = ?", (len(prefix), prefix))

    def close(self) -> None:
        with self.lock:
            self._db.close()
