"""Connections that end at a deadline: name look-up, connecting, headers and body all count against it.

A time-out of `requests` bounds one wait for the socket; a host that sends a byte a second passes it for ever.
"""

import http.client
import io
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import requests.adapters
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError

NAME_LOOKUPS_MAX = 8


@dataclass(frozen=True, kw_only=True)
class Deadline:
    """When everything must be over (`at`, on the monotonic clock) and how long one wait for the socket may take."""

    at: float
    connect_s: float
    read_s: float

    def remaining_s(self) -> float:
        """Seconds left; raises TimeoutError when there are none."""
        remaining = self.at - time.monotonic()
        if remaining <= 0:
            raise TimeoutError("the deadline has passed")
        return remaining

    def for_connecting(self) -> float:
        return min(self.connect_s, self.remaining_s())

    def for_reading(self) -> float:
        return min(self.read_s, self.remaining_s())


_current: ContextVar[Deadline] = ContextVar("deadline_of_host_call")


@contextmanager
def until(deadline: Deadline) -> Iterator[None]:
    """Bind every connection used by this thread inside the block to `deadline`."""
    token = _current.set(deadline)
    try:
        yield
    finally:
        _current.reset(token)


class NameLookups:
    """Looks names up in threads of its own, since a resolver knows no time-out."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(NAME_LOOKUPS_MAX, thread_name_prefix="video-host-names")

    def addresses(self, host: str, port: int, timeout_s: float) -> list[Any]:
        """The results of `getaddrinfo`; raises TimeoutError or OSError."""
        try:
            return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
        except socket.gaierror:
            future = self._threads.submit(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
        try:
            return future.result(timeout_s)
        finally:
            future.cancel()

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


class DeadlineAdapter(requests.adapters.HTTPAdapter):
    """An adapter of `requests` whose connections obey the deadline of `until`."""

    def __init__(self, names: NameLookups, *, pool_size: int) -> None:
        self._names = names
        super().__init__(pool_connections=1, pool_maxsize=pool_size, max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {
            "http": _pool_class(HTTPConnectionPool, HTTPConnection, self._names),
            "https": _pool_class(HTTPSConnectionPool, HTTPSConnection, self._names),
        }


def _pool_class(pool: type[Any], connection: type[Any], names: NameLookups) -> type[Any]:
    bound = type(f"Deadline{connection.__name__}", (_DeadlineConnection, connection), {"names": names})
    return type(f"Deadline{pool.__name__}", (pool,), {"ConnectionCls": bound})


class _DeadlineReader(io.RawIOBase):
    """Reads a socket, never past the deadline."""

    def __init__(self, raw: socket.SocketIO, sock: socket.socket) -> None:
        self._raw = raw
        self._socket = sock

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._socket.settimeout(_current.get().for_reading())
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _DeadlineResponse(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        raw: Any = self.fp.detach()
        self.fp = io.BufferedReader(_DeadlineReader(raw, sock))


class _DeadlineConnection:
    """Mixed into urllib3's connections: `_new_conn` is the one place where they look a name up and connect."""

    response_class = _DeadlineResponse
    names: NameLookups
    host: str
    port: int
    socket_options: list[tuple[int, int, int | bytes]] | None

    def send(self, data: Any) -> None:
        """Send one block; a host that takes bytes ever so slowly meets the deadline as well."""
        parent: Any = super()
        connection: Any = self
        if connection.sock is not None:
            connection.sock.settimeout(_current.get().for_reading())
        parent.send(data)

    def _new_conn(self) -> socket.socket:
        connection: Any = self
        try:
            return self._connect()
        except socket.gaierror as error:
            raise NameResolutionError(self.host, connection, error) from error
        except TimeoutError as error:
            raise ConnectTimeoutError(connection, "connecting took too long") from error
        except OSError as error:
            raise NewConnectionError(connection, str(error)) from error

    def _connect(self) -> socket.socket:
        deadline = _current.get()
        failure = OSError("the name has no address")
        for family, kind, protocol, _, address in self.names.addresses(
            self.host.strip("[]"), self.port, deadline.for_connecting()
        ):
            sock = socket.socket(family, kind, protocol)
            try:
                for option in self.socket_options or ():
                    sock.setsockopt(*option)
                sock.settimeout(deadline.for_connecting())
                sock.connect(address)
            except OSError as error:
                sock.close()
                failure = error
            else:
                return sock
        raise failure
