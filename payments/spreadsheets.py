"""Rows as CSV, written one by one, so that a file of any length takes no memory."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime

_FORMULA_STARTS = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")  # the last four are the wide forms of the first


class _Echo:
    """A file that gives back what is written to it."""

    def write(self, text: str) -> str:
        return text


def csv_lines(rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """Each row as a line of CSV.

    A text that a spreadsheet would take for a formula gets an apostrophe before it
    (https://owasp.org/www-community/attacks/CSV_Injection). Times are ISO 8601 in UTC, None is empty.
    """
    writer = csv.writer(_Echo())
    for row in rows:
        yield writer.writerow([_cell(value) for value in row])


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    text = str(value)
    return f"'{text}" if isinstance(value, str) and text.startswith(_FORMULA_STARTS) else text
