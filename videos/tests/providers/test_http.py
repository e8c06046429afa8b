import logging
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from videos.providers import http
from videos.providers.exceptions import (
    AssetNotFound,
    CredentialsRejected,
    MalformedResponse,
    ProviderUnavailable,
    QuotaExceeded,
    RateLimited,
    Rejected,
    VideoProviderError,
)
from videos.tests.providers.stranger import answer, closed_port, drip, stranger

QUICK = http.Patience(total_s=1, connect_s=1, read_s=1, backoff_s=0.01)
ONCE = http.Patience(total_s=1, connect_s=1, read_s=1, backoff_s=0, tries=1)


def make_call(url, **overrides):
    values = {"alias": "some-host", "method": "GET", "url": url + "/videos", "patience": QUICK}
    return http.HostCall(**values | overrides)


def failure_of(call):
    with pytest.raises(VideoProviderError) as caught:
        http.fetch_json(call)
    return caught.value


def test_an_answer_is_parsed():
    with stranger(lambda host, connection: answer(connection, b'{"a": [1]}')) as host:
        assert http.fetch_json(make_call(host.url)) == {"a": [1]}


def test_connections_are_kept_between_calls():
    def keep(host, connection):
        for _ in range(3):
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
            connection.recv(65536)

    with stranger(keep) as host:
        for _ in range(3):
            http.fetch_json(make_call(host.url))
        http.reset()
    assert host.connections == 1


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        ("400 Bad Request", b'{"message": "no"}', Rejected),
        ("401 Unauthorized", b"<html>", CredentialsRejected),
        ("402 Payment Required", b"{}", QuotaExceeded),
        ("403 Forbidden", b"{}", CredentialsRejected),
        ("404 Not Found", b"{}", AssetNotFound),
        ("404 Not Found", b"<html>no such page</html>", MalformedResponse),
        ("408 Request Timeout", b"", ProviderUnavailable),
        ("422 Unprocessable", b"{}", Rejected),
        ("429 Too Many Requests", b"", RateLimited),
        ("500 Internal Server Error", b"<html>", ProviderUnavailable),
        ("502 Bad Gateway", b"{}", ProviderUnavailable),
        ("200 OK", b"<html>", MalformedResponse),
        ("200 OK", b"", MalformedResponse),
        ("200 OK", b'{"a": NaN}', MalformedResponse),
        ("200 OK", b"\xff\xfe", MalformedResponse),
        ("200 OK", b"[" * 100_000, MalformedResponse),
        ("302 Found", b"{}", MalformedResponse),
    ],
)
def test_a_status_and_a_body_mean_one_error(status, body, error):
    with stranger(
        lambda host, connection: answer(connection, body, status, "Location: http://127.0.0.1:9/\r\n")
    ) as host:
        failure = failure_of(make_call(host.url, patience=ONCE))
    assert type(failure) is error
    assert host.connections == 1


def test_what_no_database_takes_is_replaced():
    with stranger(lambda host, connection: answer(connection, rb'{"title": "a\u0000b\ud800", "n": 1e400}')) as host:
        assert http.fetch_json(make_call(host.url)) == {"title": "a\ufffdb?", "n": None}


def test_an_endless_answer_is_cut_off():
    def flood(host, connection):
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            connection.sendall(b"x" * 65536)

    with stranger(flood) as host:
        assert isinstance(failure_of(make_call(host.url, patience=ONCE)), MalformedResponse)


def send_nothing(host, connection):
    host.pause(10)


def drip_the_headers(host, connection):
    drip(host, connection, b"HTTP/1.1 200 OK\r\nX-Padding: " + b"x" * 1000)


def drip_the_body(host, connection):
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    drip(host, connection, b" " * 1000)


def drip_a_chunked_body(host, connection):
    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    drip(host, connection, b"1\r\nx\r\n" * 300)


def promise_forever(host, connection):
    for _ in range(1000):
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        host.pause(0.1)


@pytest.mark.parametrize(
    "behaviour", [send_nothing, drip_the_headers, drip_the_body, drip_a_chunked_body, promise_forever]
)
def test_every_way_of_being_slow_ends_at_the_deadline(behaviour):
    with stranger(behaviour) as host:
        started = time.monotonic()
        failure = failure_of(make_call(host.url))
        took_s = time.monotonic() - started
    assert (type(failure), failure.code) == (ProviderUnavailable, "host_timeout")
    assert 0.9 < took_s < 1.6


def test_the_deadline_covers_all_tries_together():
    def fail_slowly(host, connection):
        host.pause(0.3)
        answer(connection, b"{}", "500 Oops")

    with stranger(fail_slowly) as host:
        started = time.monotonic()
        failure_of(make_call(host.url))
        took_s = time.monotonic() - started
    assert took_s < 1.2
    assert host.connections == 2


def test_looking_up_a_name_counts_against_the_deadline(monkeypatch):
    """The resolver of the system cannot be slowed down from here, so its entry point is."""
    over = threading.Event()
    real = http.sockets.socket.getaddrinfo

    def slow(host, port, *args, **kwargs):
        if kwargs.get("flags") is None:
            over.wait(10)
        return real("127.0.0.1" if kwargs.get("flags") is None else host, port, *args, **kwargs)

    monkeypatch.setattr(http.sockets.socket, "getaddrinfo", slow)
    started = time.monotonic()
    failure = failure_of(make_call("http://videos.example.test", patience=ONCE))
    took_s = time.monotonic() - started
    over.set()
    assert (failure.code, took_s < 1.5) == ("host_timeout", True)


def test_a_closed_port_is_tried_three_times():
    started = time.monotonic()
    failure = failure_of(make_call(f"http://127.0.0.1:{closed_port()}"))
    assert (type(failure), failure.code) == (ProviderUnavailable, "host_unavailable")
    assert time.monotonic() - started < 1


def test_a_reset_connection_is_tried_again():
    def fail_twice(host, connection):
        if host.connections > 2:
            answer(connection, b'{"ok": true}')

    with stranger(fail_twice) as host:
        assert http.fetch_json(make_call(host.url)) == {"ok": True}


def test_three_tries_are_all():
    with stranger(lambda host, connection: answer(connection, b"", "503 Busy")) as host:
        failure_of(make_call(host.url))
    assert host.connections == 3


def test_a_call_that_is_not_repeatable_is_sent_once():
    with stranger(lambda host, connection: answer(connection, b"", "503 Busy")) as host:
        failure_of(make_call(host.url, is_repeatable=False))
    assert host.connections == 1


def test_a_call_that_was_refused_for_its_rate_is_repeated_even_if_not_repeatable():
    def busy_once(host, connection):
        answer(connection, b"{}", "200 OK" if host.connections > 1 else "429 Slow down")

    with stranger(busy_once) as host:
        assert http.fetch_json(make_call(host.url, is_repeatable=False)) == {}


def test_retry_after_is_waited_for_when_the_deadline_allows():
    def busy_once(host, connection):
        answer(connection, b"{}", "200 OK" if host.connections > 1 else "429 Slow down", "Retry-After: 0.3\r\n")

    with stranger(busy_once) as host:
        started = time.monotonic()
        http.fetch_json(make_call(host.url))
    assert time.monotonic() - started >= 0.3


@pytest.mark.parametrize(
    ("header", "expected_s"),
    [("120", 120), ("-5", 0), ("nan", None), ("soon", None), ("", None), ("9" * 40, http.RETRY_AFTER_MAX_S)],
)
def test_retry_after_is_passed_on_when_it_is_too_long_to_wait(header, expected_s):
    behaviour = f"Retry-After: {header}\r\n" if header else ""
    with stranger(lambda host, connection: answer(connection, b"", "429 Slow down", behaviour)) as host:
        failure = failure_of(make_call(host.url, patience=ONCE))
    assert failure.retry_after_s == expected_s


def test_retry_after_may_be_a_date():
    date = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + 100))
    with stranger(lambda host, connection: answer(connection, b"", "503 Busy", f"Retry-After: {date}\r\n")) as host:
        failure = failure_of(make_call(host.url))
    assert 90 < failure.retry_after_s <= 101
    assert host.connections == 1


def test_cookies_of_a_host_are_not_kept():
    def set_cookie(host, connection):
        answer(connection, b"{}", headers="Set-Cookie: a=b; Path=/\r\n")

    with stranger(set_cookie) as host:
        call = make_call(host.url)
        http.fetch_json(call)
        assert len(http._traffic.session(call.origin).cookies) == 0


def test_an_error_says_nothing_of_what_was_sent(caplog):
    caplog.set_level(logging.INFO)
    call = make_call(
        f"http://127.0.0.1:{closed_port()}",
        headers={"Authorization": "Apisecret hunter2"},
        params={"token": "hunter2"},
        json={"viewer": "hunter2"},
        method="POST",
    )
    failure = failure_of(call)
    shown = "".join(traceback.format_exception(failure)) + repr(call) + repr(failure) + caplog.text
    assert "hunter2" not in shown
    assert failure.__context__ is None


class TestCircuitBreaker:
    @pytest.fixture(autouse=True)
    def _impatient(self, settings):
        settings.VIDEO_HOST_BREAKER_FAILURES = 3
        settings.VIDEO_HOST_BREAKER_COOL_DOWN_S = 0.4

    @pytest.fixture
    def host(self):
        def behave(host, connection):
            answer(connection, b"{}", host.status)

        with stranger(behave) as host:
            host.status = "500 Oops"
            yield host

    def open_it(self, host):
        for _ in range(3):
            failure_of(make_call(host.url, patience=ONCE))

    def test_a_dead_host_is_left_alone(self, host):
        self.open_it(host)
        started = time.monotonic()
        failure = failure_of(make_call(host.url))
        assert (type(failure), failure.code) == (ProviderUnavailable, "host_circuit_open")
        assert 0 < failure.retry_after_s <= 1
        assert time.monotonic() - started < 0.1
        assert host.connections == 3

    def test_after_the_cool_down_one_probe_closes_it(self, host):
        self.open_it(host)
        host.status = "200 OK"
        time.sleep(0.45)
        http.fetch_json(make_call(host.url))
        http.fetch_json(make_call(host.url))
        assert host.connections == 5

    def test_a_failed_probe_opens_it_again(self, host):
        self.open_it(host)
        time.sleep(0.45)
        assert failure_of(make_call(host.url, patience=ONCE)).code == "host_unavailable"
        assert failure_of(make_call(host.url, patience=ONCE)).code == "host_circuit_open"
        assert host.connections == 4

    def test_only_one_of_many_callers_is_the_probe(self, host):
        self.open_it(host)
        time.sleep(0.45)
        release = threading.Event()

        def behave(host, connection):
            release.wait(5)
            answer(connection, b"{}")

        host.behaviour = lambda connection: behave(host, connection)
        with ThreadPoolExecutor(4) as threads:
            calls = [threads.submit(http.fetch_json, make_call(host.url)) for _ in range(4)]
            time.sleep(0.2)
            refused = [call.exception() for call in calls if call.done()]
            release.set()
            answered = [call.result() for call in calls if call.exception() is None]
        assert [error.code for error in refused] == ["host_circuit_open"] * 3
        assert answered == [{}]

    def test_refusals_of_a_living_host_do_not_open_it(self, host):
        for status in ("401 No", "404 No", "429 No", "400 No") * 3:
            host.status = status
            assert failure_of(make_call(host.url, patience=ONCE)).code != "host_circuit_open"
        host.status = "200 OK"
        http.fetch_json(make_call(host.url))

    def test_one_success_starts_the_count_anew(self, host):
        for status in ("500 Oops", "500 Oops", "200 OK", "500 Oops", "500 Oops", "200 OK"):
            host.status = status
            with suppress(ProviderUnavailable):
                http.fetch_json(make_call(host.url, patience=ONCE))
        assert host.connections == 6

    def test_another_host_is_not_concerned(self, host):
        self.open_it(host)
        with stranger(lambda other, connection: answer(connection, b"{}")) as other:
            assert http.fetch_json(make_call(other.url)) == {}


class TestBulkhead:
    def test_no_more_callers_wait_for_hosts_than_allowed(self, settings):
        settings.VIDEO_HOST_CALLS_MAX = 2
        lock, inside, most = threading.Lock(), 0, 0

        def count(host, connection):
            nonlocal inside, most
            with lock:
                inside += 1
                most = max(most, inside)
            host.pause(0.1)
            with lock:
                inside -= 1
            answer(connection, b"{}")

        with stranger(count) as host, ThreadPoolExecutor(6) as threads:
            calls = [threads.submit(http.fetch_json, make_call(host.url)) for _ in range(6)]
            assert [call.result() for call in calls] == [{}] * 6
        assert most == 2

    def test_who_waits_too_long_is_told_that_we_are_busy(self, settings):
        settings.VIDEO_HOST_CALLS_MAX = 1
        with stranger(send_nothing) as host, ThreadPoolExecutor(1) as threads:
            slow = threads.submit(failure_of, make_call(host.url, patience=http.VIEWER))
            time.sleep(0.2)
            started = time.monotonic()
            failure = failure_of(make_call(host.url))
            assert (failure.code, failure.retry_after_s) == ("host_busy", 1.0)
            assert time.monotonic() - started < 1.2
            assert host.connections == 1
            host.close()
            slow.result()
