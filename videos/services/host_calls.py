"""Finding a host and waiting for it."""

from collections.abc import Callable
from typing import TypeVar

from django.db import connection

from videos.providers.base import VideoProvider
from videos.providers.exceptions import ProviderMisconfigured, UnknownProvider
from videos.providers.registry import providers

Answer = TypeVar("Answer")


def ask_host(call: Callable[[], Answer]) -> Answer:
    """Make `call` without keeping a pooled database connection busy meanwhile.

    A pool of psycopg 3 lends a connection until the request ends, so it is given back first, unless in a transaction:
    https://docs.djangoproject.com/en/5.2/ref/databases/#connection-pool
    """
    if connection.settings_dict.get("OPTIONS", {}).get("pool") and not connection.in_atomic_block:
        connection.close()
    return call()


def give_connection_back() -> None:
    """Close the database connection of this thread before a wait of minutes, unless in a transaction.

    The next query opens one again.
    """
    if not connection.in_atomic_block:
        connection.close()


def usable_provider(alias: str) -> VideoProvider | None:
    """The provider of this alias; None for one that is unknown or cannot be used as it is configured."""
    try:
        return providers[alias]
    except (UnknownProvider, ProviderMisconfigured):
        return None
