from collections.abc import Callable

from django.db import connection
from django.test.utils import CaptureQueriesContext

_FRAMES = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE")


def statements(call: Callable[[], object]) -> int:
    """How many statements `call` sends, those that only frame a transaction left out."""
    with CaptureQueriesContext(connection) as queries:
        call()
    return sum(not query["sql"].upper().startswith(_FRAMES) for query in queries)
