"""Adding to the rows of figures, whoever else adds to them at the same moment."""

from array import array
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from sys import byteorder
from typing import Any
from uuid import UUID

from django.db import connections, router
from django.utils import timezone

from videos.models import AssetRetention, VideoDay, VideoFigures
from videos.models.figures import Counters

COUNTERS = tuple(field.name for field in Counters._meta.local_fields)
_MOST = 2**32 - 1
_SECOND = 4  # bytes


def add_to_totals(changes: Mapping[UUID, Counter[str]]) -> None:
    """Add to the totals of videos, in one statement; a row that is missing is made."""
    rows = [
        {"video_id": video_id, "updated_at": timezone.now()} | _counts(changes[video_id])
        for video_id in sorted(changes)
        if any(changes[video_id].values())
    ]
    _upsert(VideoFigures, rows, keys=("video_id",), replaced=("updated_at",))


def add_to_days(changes: Mapping[tuple[UUID, date], Counter[str]]) -> None:
    """Add to the UTC days of videos, in one statement; a row that is missing is made."""
    rows = [
        {"video_id": key[0], "day": key[1]} | _counts(changes[key])
        for key in sorted(changes)
        if any(changes[key].values())
    ]
    _upsert(VideoDay, rows, keys=("video_id", "day"))


def add_to_retention(changes: Mapping[int, Sequence[tuple[int, int, int]]]) -> None:
    """Add `(from, to, more)` seconds to the retention of assets. Needs a transaction."""
    asset_ids = sorted(asset_id for asset_id, stretches in changes.items() if stretches)
    AssetRetention.objects.bulk_create(
        [AssetRetention(asset_id=asset_id) for asset_id in asset_ids], ignore_conflicts=True
    )
    rows = list(AssetRetention.objects.select_for_update().filter(pk__in=asset_ids).order_by("pk"))
    for row in rows:
        row.counts = _added(bytes(row.counts), changes[row.asset_id])
    AssetRetention.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["asset"], update_fields=["counts", "updated_at"]
    )


def plays_by_second(row: AssetRetention | None) -> "array[int]":
    """How often each second was played, the first of the copy first."""
    return _unpacked(bytes(row.counts)) if row else array("I")


def _added(packed: bytes, stretches: Iterable[tuple[int, int, int]]) -> bytes:
    counts = _unpacked(packed)
    for first, end, more in stretches:
        if end > len(counts):
            counts.frombytes(bytes((end - len(counts)) * _SECOND))
        counts[first:end] = array("I", (min(max(count + more, 0), _MOST) for count in counts[first:end]))
    return _little_endian(counts).tobytes()


def _unpacked(packed: bytes) -> "array[int]":
    counts = array("I", packed)
    return _little_endian(counts)


def _little_endian(counts: "array[int]") -> "array[int]":
    if byteorder == "big":
        counts.byteswap()
    return counts


def _counts(change: Counter[str]) -> dict[str, int]:
    return {name: change[name] for name in COUNTERS}


def _upsert(
    model: type[Counters], rows: Sequence[dict[str, Any]], *, keys: Sequence[str], replaced: Sequence[str] = ()
) -> None:
    """PostgreSQL and SQLite add in the statement itself, so that nobody's addition is lost. Rows come in key order:
    two writers never wait for each other."""
    if not rows:
        return
    connection = connections[router.db_for_write(model)]
    names = tuple(rows[0])
    fields = {field.attname: field for field in model._meta.concrete_fields}
    table = connection.ops.quote_name(model._meta.db_table)
    values = ", ".join([f"({', '.join(['%s'] * len(names))})"] * len(rows))
    sums = [f"{name} = {table}.{name} + excluded.{name}" for name in COUNTERS]
    changes = ", ".join([*sums, *(f"{name} = excluded.{name}" for name in replaced)])
    statement = (
        f"INSERT INTO {table} ({', '.join(names)}) VALUES {values} "  # noqa: S608 (names of our own columns)
        f"ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {changes}"
    )
    parameters = [fields[name].get_db_prep_save(row[name], connection) for row in rows for name in names]
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
