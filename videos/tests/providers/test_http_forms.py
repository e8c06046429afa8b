import io
import logging
import tempfile
import time
import tracemalloc
from contextlib import suppress

import pytest
from werkzeug.formparser import parse_form_data

from videos.providers import http
from videos.providers.exceptions import ProviderUnavailable, QuotaExceeded, RateLimited
from videos.tests.providers.stranger import answer, stranger

MEBIBYTE = 1024 * 1024
QUICK = http.Patience(total_s=1, connect_s=1, read_s=1, backoff_s=0.01)
PATIENT = http.Patience(total_s=30, connect_s=5, read_s=30, backoff_s=0)


class Zeros(io.RawIOBase):
    """An open file of that many zeros, which are nowhere kept. It cannot be rewound, but knows its size."""

    def __init__(self, size_bytes):
        self.size_bytes = size_bytes
        self.left = size_bytes

    def __len__(self):
        return self.size_bytes

    def readable(self):
        return True

    def readinto(self, buffer):
        count = min(len(buffer), self.left)
        buffer[:count] = bytes(count)
        self.left -= count
        return count


def take(received):
    """A host that keeps the whole request, then answers."""

    def behave(host, connection):
        data = b""
        while b"\r\n\r\n" not in data:
            data += connection.recv(65536)
        head, _, body = data.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode("latin-1").split("\r\n")[1:])
        while len(body) < int(headers["Content-Length"]):
            body += connection.recv(65536)
        received.append((headers, body))
        answer(connection, b"{}")

    return behave


def make_call(url, **overrides):
    values = {"alias": "some-host", "method": "POST", "url": url, "patience": QUICK}
    return http.HostCall(**values | overrides)


@pytest.mark.parametrize("film", [b"film", io.BytesIO(b"film"), io.BytesIO(b"")])
def test_a_form_arrives_in_its_order_with_the_file_last(film):
    received = []
    fields = {"policy": "a+b=", "success_action_redirect": "", "titel": "Über Körper"}
    files = {"file": ('a "film"\r\nä.mp4', film, "video/mp4\r\nX-Evil: 1")}
    with stranger(take(received), reads_first=False) as host:
        http.fetch(make_call(host.url, fields=fields, files=files))
    [(headers, body)] = received
    environ = {
        "REQUEST_METHOD": "POST",
        "CONTENT_TYPE": headers["Content-Type"],
        "CONTENT_LENGTH": headers["Content-Length"],
        "wsgi.input": io.BytesIO(body),
    }
    _, found_fields, found_files = parse_form_data(environ)
    assert list(found_fields.items()) == list(fields.items())
    with found_files["file"].stream:
        assert found_files["file"].filename == 'a "film"%0D%0Aä.mp4'
        assert found_files["file"].read() == (b"film" if isinstance(film, bytes) else film.getvalue())
        assert "X-Evil" not in found_files["file"].headers
    assert body.index(b'name="file"') > body.index(b'name="titel"')


def test_only_what_is_left_of_an_open_file_is_sent():
    received = []
    with tempfile.SpooledTemporaryFile(max_size=1) as film:
        film.write(b"head of the film")
        film.seek(4)
        with stranger(take(received), reads_first=False) as host:
            http.fetch(make_call(host.url, files={"file": ("film.mp4", film, "video/mp4")}))
    [(headers, body)] = received
    assert int(headers["Content-Length"]) == len(body)
    assert b"\r\n\r\n of the film\r\n--" in body


def test_no_secret_of_a_call_is_logged(caplog):
    caplog.set_level(logging.DEBUG)
    secrets = {"headers": {"Authorization": "Bearer s3cret"}, "fields": {"policy": "s3cret"}}
    for behaviour in (take([]), lambda host, connection: connection.close()):
        with stranger(behaviour, reads_first=False) as host, suppress(ProviderUnavailable):
            call = make_call(host.url, **secrets, files={"file": ("film.mp4", b"film", "video/mp4")})
            http.fetch(call)
        assert "s3cret" not in caplog.text + repr(call)


def swallow(host, connection):
    """A host that takes what comes and keeps nothing."""
    left = 64 * MEBIBYTE
    while left > 0:
        left -= len(connection.recv(MEBIBYTE))
    answer(connection, b"{}")


@pytest.mark.parametrize("way", ["form", "content"])
def test_a_large_file_needs_no_memory(way):
    film = Zeros(65 * MEBIBYTE)
    body = {"content": film} if way == "content" else {"files": {"file": ("film.mp4", film, "video/mp4")}}
    tracemalloc.start()
    try:
        with stranger(swallow) as host:
            http.fetch(make_call(host.url, patience=PATIENT, **body))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 8 * MEBIBYTE


def test_a_host_that_takes_bytes_ever_so_slowly_meets_the_deadline():
    def sip(host, connection):
        while connection.recv(65536):
            host.pause(0.05)

    started = time.monotonic()
    with stranger(sip) as host, pytest.raises(ProviderUnavailable) as caught:
        http.fetch(make_call(host.url, content=Zeros(64 * MEBIBYTE)))
    assert caught.value.code == "host_timeout"
    assert time.monotonic() - started < 3


def test_an_open_file_is_sent_once():
    def refuse(host, connection):
        answer(connection, b"{}", "429 Too Many Requests")

    for body in ({"content": io.BytesIO(b"film")}, {"files": {"file": ("film.mp4", io.BytesIO(b"film"), "video/mp4")}}):
        with stranger(refuse) as host, pytest.raises(RateLimited):
            http.fetch(make_call(host.url, **body))
        assert host.connections == 1


@pytest.mark.parametrize(
    ("body", "error"), [(b'{"full": true}', QuotaExceeded), (b"{}", RateLimited), (b"<html>", RateLimited)]
)
def test_the_body_of_a_429_may_say_that_the_plan_is_full(body, error):
    def explain(status, data):
        return QuotaExceeded if status == 429 and data == {"full": True} else None

    with (
        stranger(lambda host, connection: answer(connection, body, "429 Too Many Requests")) as host,
        pytest.raises(error),
    ):
        http.fetch(make_call(host.url, explain=explain))
