"""A small threaded HTTP/1.1 server for one WSGI application: keeps connections open, and can cut one on purpose."""

import contextlib
import ipaddress
import socket
import sys
import threading
from collections.abc import Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit
from wsgiref.types import WSGIApplication

from werkzeug.serving import DechunkedInput

IDLE_TIMEOUT_S = 60.0
DRAIN_LIMIT_BYTES = 1 << 20


class CutConnection(Exception):
    """Raised by an application's answer to close the connection in the middle of it."""


class LoopbackServer(ThreadingHTTPServer):
    """Serves one WSGI application on a loopback address; raises ValueError for any other address."""

    daemon_threads = True
    request_queue_size = 512

    def __init__(self, host: str, port: int, application: WSGIApplication) -> None:
        refuse_other_than_loopback(host)
        self.application = application
        self._connections: set[socket.socket] = set()
        self._connections_lock = threading.Lock()
        self._closing = False
        super().__init__((host, port), _Handler)

    def server_bind(self) -> None:
        # HTTPServer.server_bind asks the resolver for a host name, which may take seconds and is not needed.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._connections_lock:
            self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._connections_lock:
            self._connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not self._closing and not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)

    def close(self, *, serving: bool = True) -> None:
        """Stop listening and end every open connection; `serving` says that another thread runs `serve_forever`."""
        self._closing = True
        if serving:
            self.shutdown()
        self.server_close()
        with self._connections_lock:
            for connection in self._connections:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)


def refuse_other_than_loopback(host: str) -> None:
    """Raise ValueError unless `host` is a literal loopback address."""
    try:
        loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        raise ValueError(f"The sandbox binds to loopback addresses such as 127.0.0.1 only, not to {host!r}.")


class _Body:
    """A request body of known length that never reads into the next request on the connection."""

    def __init__(self, stream: Any, length: int) -> None:
        self._stream = stream
        self.remaining = length

    def read(self, size: int = -1) -> bytes:
        return self._take(self._stream.read, size)

    def readline(self, size: int = -1) -> bytes:
        return self._take(self._stream.readline, size)

    def _take(self, read: Any, size: int) -> bytes:
        wanted = self.remaining if size is None or size < 0 else min(size, self.remaining)
        data: bytes = read(wanted) if wanted else b""
        self.remaining -= len(data)
        return data


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "sandbox"
    sys_version = ""
    timeout = IDLE_TIMEOUT_S
    disable_nagle_algorithm = True
    server: LoopbackServer

    def _serve(self) -> None:
        environ = self._environ()
        answer = _Answer(self)
        chunks: Iterable[bytes] = self.server.application(environ, answer.start)
        try:
            for chunk in chunks:
                answer.write(chunk)
            answer.finish()
        except CutConnection:
            self.close_connection = True
            return
        except OSError:
            self.close_connection = True
            return
        finally:
            close = getattr(chunks, "close", None)
            if close:
                close()
        self._drain(environ["wsgi.input"])

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _serve

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet: what was asked is kept by the sandbox itself."""

    def _environ(self) -> dict[str, Any]:
        parts = urlsplit(self.path)
        chunked = "chunked" in self.headers.get("Transfer-Encoding", "").lower()
        length = int(self.headers.get("Content-Length") or 0)
        environ: dict[str, Any] = {
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": DechunkedInput(self.rfile) if chunked else _Body(self.rfile, length),
            "wsgi.input_terminated": True,
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
            "REQUEST_METHOD": self.command,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote(parts.path, "latin-1"),
            "QUERY_STRING": parts.query,
            "REMOTE_ADDR": self.client_address[0],
            "REMOTE_PORT": str(self.client_address[1]),
            "SERVER_NAME": self.server.server_name,
            "SERVER_PORT": str(self.server.server_port),
            "SERVER_PROTOCOL": self.request_version,
            "CONTENT_LENGTH": "" if chunked else str(length),
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
        }
        for name, value in self.headers.items():
            key = name.upper().replace("-", "_")
            if key not in ("CONTENT_LENGTH", "CONTENT_TYPE"):
                environ.setdefault(f"HTTP_{key}", value)
        return environ

    def _drain(self, body: Any) -> None:
        """Leave the connection at the start of the next request, or close it when too much of a body is left unread."""
        remaining = getattr(body, "remaining", None)
        if remaining == 0:
            return
        if remaining is None or remaining > DRAIN_LIMIT_BYTES:
            self.close_connection = True
            return
        body.read()


class _Answer:
    """Writes one answer: with its Content-Length when the application gave one, in chunks otherwise."""

    def __init__(self, handler: _Handler) -> None:
        self._handler = handler
        self._started = False
        self._sent = False
        self._chunked = False
        self._status = 500
        self._reason = ""
        self._headers: list[tuple[str, str]] = []

    def start(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        code, _, self._reason = status.partition(" ")
        self._status, self._headers, self._started = int(code), headers, True
        return self.write

    def write(self, data: bytes) -> None:
        if not self._started:
            raise RuntimeError("write() before start_response()")
        head = b"" if self._sent else self._head()
        self._sent = True
        if self._handler.command == "HEAD":
            data = b""
        elif self._chunked and data:
            data = b"%x\r\n%b\r\n" % (len(data), data)
        if head or data:
            self._handler.wfile.write(head + data)

    def finish(self) -> None:
        self.write(b"")
        if self._chunked and self._handler.command != "HEAD":
            self._handler.wfile.write(b"0\r\n\r\n")

    def _head(self) -> bytes:
        handler = self._handler
        names = {name.lower() for name, _ in self._headers}
        bodyless = self._status < 200 or self._status in (204, 304)
        self._chunked = "content-length" not in names and not bodyless
        lines = [f"{handler.protocol_version} {self._status} {self._reason}"]
        lines += [f"{name}: {value}" for name, value in self._headers]
        if "date" not in names:
            lines.append(f"Date: {handler.date_time_string()}")
        if self._chunked:
            lines.append("Transfer-Encoding: chunked")
        if handler.close_connection:
            lines.append("Connection: close")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
