"""A host that misbehaves on the wire in ways no web server would."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

Behaviour = Callable[[socket.socket], None]


class Stranger:
    """Listens on loopback and lets `behaviour` have every connection, each in a thread of its own."""

    def __init__(self, behaviour: Behaviour, *, reads_first: bool = True) -> None:
        self.behaviour = behaviour
        self.reads_first = reads_first
        self.connections = 0
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._stopped = threading.Event()
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._accept)
        self._thread.start()

    def pause(self, seconds: float) -> None:
        """Wait, or raise OSError when the test is over."""
        if self._stopped.wait(seconds):
            raise OSError("stopped")

    def close(self) -> None:
        self._stopped.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join(5)
        self._listener.close()
        for thread in self._threads:
            thread.join(5)

    def _accept(self) -> None:
        while not self._stopped.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            thread = threading.Thread(target=self._serve, args=(connection,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            connection.settimeout(5)
            if self.reads_first:
                connection.recv(65536)
            self.behaviour(connection)


@contextmanager
def stranger(behaviour: Callable[[Stranger, socket.socket], None], *, reads_first: bool = True) -> Iterator[Stranger]:
    host = Stranger(lambda connection: behaviour(host, connection), reads_first=reads_first)
    try:
        yield host
    finally:
        host.close()


def answer(connection: socket.socket, body: bytes, status: str = "200 OK", headers: str = "") -> None:
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n{headers}\r\n"
    connection.sendall(head.encode() + body)


def drip(host: Stranger, connection: socket.socket, data: bytes, interval_s: float = 0.1) -> None:
    for position in range(len(data)):
        connection.sendall(data[position : position + 1])
        host.pause(interval_s)


def closed_port() -> int:
    """A port of this machine on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]
