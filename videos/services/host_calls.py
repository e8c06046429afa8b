"""The one helper around waiting for a host."""

from collections.abc import Callable
from typing import TypeVar

from django.db import connection

Answer = TypeVar("Answer")


def ask_host(call: Callable[[], Answer]) -> Answer:
    """Make `call` without keeping a pooled database connection busy meanwhile.

    A pool of psycopg 3 lends a connection until the request ends, so it is given back first, unless in a transaction:
    https://docs.djangoproject.com/en/5.2/ref/databases/#connection-pool
    """
    if connection.settings_dict.get("OPTIONS", {}).get("pool") and not connection.in_atomic_block:
        connection.close()
    return call()
