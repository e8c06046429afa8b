from contextlib import contextmanager

from django.db import connection
from django.test.utils import CaptureQueriesContext

_BRACKETS = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE")


@contextmanager
def counted_statements():
    """Gives a list that holds, at the end, the statements sent to the database, transaction brackets left out."""
    statements: list[str] = []
    with CaptureQueriesContext(connection) as captured:
        yield statements
    statements += [query["sql"] for query in captured if not query["sql"].startswith(_BRACKETS)]
