"""A server that answers what a test tells it to, over real HTTP."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread


@dataclass(frozen=True, kw_only=True)
class Answer:
    """`raw` is sent as it is, and the connection ends; else status and body."""

    status: int = 200
    body: bytes = b""
    content_type: str = "application/xml"
    raw: bytes = b""


@contextmanager
def stranger(answer: Callable[[str, str], Answer]) -> Iterator[str]:
    """The address of a server that asks `answer(method, path)` what to say."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def reply(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            said = answer(self.command, self.path)
            if said.raw:
                self.wfile.write(said.raw)
                self.close_connection = True
                return
            self.send_response(said.status)
            if said.status != 204:
                self.send_header("Content-Type", said.content_type)
                self.send_header("Content-Length", str(len(said.body)))
            self.end_headers()
            if self.command != "HEAD" and said.status != 204:
                self.wfile.write(said.body)

        do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = reply

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
