import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Receiver:
    """A webhook endpoint on loopback: keeps what it gets, answers with `answers` in turn, then with 200."""

    def __init__(self):
        self.answers: list[int] = []
        self.deliveries: list[dict] = []
        self.pause_s = 0.0
        self._arrived = threading.Condition()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                time.sleep(receiver.pause_s)
                with receiver._arrived:
                    status = receiver.answers.pop(0) if receiver.answers else 200
                    signature = self.headers["Stripe-Signature"]
                    receiver.deliveries.append({"body": body, "signature": signature, "at": time.monotonic()})
                    receiver._arrived.notify_all()
                self.send_response(status)
                self.send_header("Content-Length", "0")
                if status == 301:
                    self.send_header("Location", receiver.url + "/")
                self.end_headers()

            def log_message(self, format, *args):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def events(self):
        return [json.loads(delivery["body"]) for delivery in self.deliveries]

    def types(self):
        return [event["type"] for event in self.events()]

    def wait_for(self, count, timeout_s=8):
        """Wait for `count` deliveries in all, and fail loudly when they do not come."""
        with self._arrived:
            assert self._arrived.wait_for(lambda: len(self.deliveries) >= count, timeout_s), self.types()
        return self.deliveries

    def close(self):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
