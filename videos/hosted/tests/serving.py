"""The project over real HTTP inside a test's transaction, and viewings that are granted by the playback door."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from wsgiref.simple_server import WSGIRequestHandler, make_server

from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import DEFAULT_DB_ALIAS, close_old_connections, connections

from videos.models import AccessLevel, SessionDoor
from videos.services.playback import RequestContext, open_session
from videos.tests.factories import make_user
from videos.tests.statements import counted_statements


class _Quiet(WSGIRequestHandler):
    def log_message(self, *args: object) -> None:
        pass


@contextmanager
def serving() -> Iterator[str]:
    """The address of this project's server, which sees what the test wrote and did not commit.

    It answers one request at a time, on the test's own connection: the test must wait for each answer.
    """
    connection = connections[DEFAULT_DB_ALIAS]
    server = make_server("127.0.0.1", 0, WSGIHandler(), handler_class=_Quiet)

    def serve() -> None:
        connections[DEFAULT_DB_ALIAS] = connection
        server.serve_forever(poll_interval=0.02)

    connection.inc_thread_sharing()
    # They would close a connection that is in a transaction, as Django's own test client knows.
    ends = [request_started, request_finished]
    was_connected = [signal.disconnect(close_old_connections) for signal in ends]
    thread = Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
        for signal in itertools.compress(ends, was_connected):
            signal.connect(close_old_connections)
        connection.dec_thread_sharing()


def granted(video, *, viewer=None, device_id="device-0001"):
    """A viewing of `video` that its stream is claimed for."""
    video.access_level = AccessLevel.PUBLIC
    video.save(update_fields=["access_level"])
    return open_session(
        user=viewer or make_user(),
        video=video,
        door=SessionDoor.PLAYBACK,
        device_id=device_id,
        context=RequestContext(),
    )


def statements(call):
    """How many statements `call` sends."""
    with counted_statements() as sent:
        call()
    return len(sent)
