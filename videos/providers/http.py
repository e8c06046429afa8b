"""The one place that talks HTTP to video hosts: pooled, bounded in time and number, retried, errors in our words."""

import email.utils
import json as json_format
import math
import os
import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.cookiejar import DefaultCookiePolicy
from typing import IO, Any, NoReturn
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import HTTPError, ReadTimeoutError

from videos.providers import forms, reading, sockets
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
from videos.providers.traffic import Bulkhead, CircuitBreaker, Outcome, host_calls_max

CHUNK_BYTES = 16 * 1024
BODY_MAX_BYTES = 4 * 1024 * 1024
SHORTEST_EXCHANGE_S = 0.5
RETRY_AFTER_MAX_S = 24 * 3600.0


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long a caller waits: in total, for connecting, for each wait of the socket; and how often it tries."""

    total_s: float
    connect_s: float
    read_s: float
    backoff_s: float
    tries: int = 3


VIEWER = Patience(total_s=4, connect_s=2, read_s=4, backoff_s=0.2)
BACKGROUND = Patience(total_s=30, connect_s=5, read_s=10, backoff_s=1)
PING = Patience(total_s=3, connect_s=2, read_s=3, backoff_s=0, tries=1)
TRANSFER = Patience(total_s=600, connect_s=5, read_s=60, backoff_s=0, tries=1)

Explain = Callable[[int, Any], type[VideoProviderError] | None]


@dataclass(frozen=True, kw_only=True)
class HostCall:
    """One call to a host; it carries `json`, a form of `fields` and `files`, or a raw `content`.

    `files` are (file name, bytes or open file, content type) by field. Open files are read while they are sent, and
    such a call is never tried again; one that is not repeatable is, when the host said that it did nothing. `explain`
    may read an error out of the status and the parsed body (None when it is not JSON), where the status alone does not
    tell: the body of a 429 or a 413 may say that it is the plan that is full.
    """

    alias: str
    method: str
    url: str
    patience: Patience
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    params: Mapping[str, str] = field(default_factory=dict, repr=False)
    json: Mapping[str, Any] | None = field(default=None, repr=False)
    fields: Mapping[str, str] | None = field(default=None, repr=False)
    files: Mapping[str, forms.FormFile] | None = field(default=None, repr=False)
    content: bytes | IO[bytes] | None = field(default=None, repr=False)
    is_repeatable: bool = True
    explain: Explain = field(default=lambda status, body: None, repr=False)

    @property
    def origin(self) -> str:
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def carries_open_file(self) -> bool:
        contents = [self.content, *(content for _, content, _ in (self.files or {}).values())]
        return any(content is not None and not isinstance(content, bytes) for content in contents)


@dataclass(frozen=True, kw_only=True)
class HostAnswer:
    """A successful answer (2xx) as it came; header names in any case."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


def fetch_json(call: HostCall) -> Any:
    """The parsed answer of a successful call; raises VideoProviderError, at the latest when the patience ends."""
    answer = fetch(call)
    data, is_json = _parse(answer.body)
    if not is_json:
        raise MalformedResponse(f"{call.alias}: the host answered {answer.status} without JSON.")
    return data


def fetch(call: HostCall) -> HostAnswer:
    """The answer of a successful call, whatever is in it; raises VideoProviderError like `fetch_json`."""
    until = time.monotonic() + call.patience.total_s
    breaker = _traffic.breaker(call.origin)
    for attempt in range(1, call.patience.tries + 1):
        try:
            return _try_once(call, breaker, until)
        except VideoProviderError as error:
            pause_s = _pause_before_next(call, error, attempt, until)
            if pause_s is None:
                raise
        breaker.refuse_if_open()
        time.sleep(pause_s)
    raise AssertionError("the last try either returns or raises")


def reset() -> None:
    """Forget connections, breakers and queues, as at the start of a process."""
    global _traffic
    former, _traffic = _traffic, _Traffic()
    former.close()


class _Traffic:
    """The state of this process: a pooled session and a breaker per host, one bulkhead for all."""

    def __init__(self) -> None:
        self.bulkhead = Bulkhead()
        self._lock = threading.Lock()
        self._names = sockets.NameLookups()
        self._sessions: dict[str, requests.Session] = {}
        self._breakers: dict[str, CircuitBreaker] = {}

    def breaker(self, origin: str) -> CircuitBreaker:
        with self._lock:
            return self._breakers.setdefault(origin, CircuitBreaker())

    def session(self, origin: str) -> requests.Session:
        with self._lock:
            if origin not in self._sessions:
                self._sessions[origin] = self._new_session()
            return self._sessions[origin]

    def close(self) -> None:
        self._names.close()
        for session in self._sessions.values():
            session.close()

    def _new_session(self) -> requests.Session:
        session = requests.Session()
        # With trust_env a ~/.netrc entry replaces our Authorization header:
        # https://requests.readthedocs.io/en/latest/user/authentication/#netrc-authentication
        session.trust_env = False
        session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        adapter = sockets.DeadlineAdapter(self._names, pool_size=host_calls_max())
        session.mount("https://", adapter)
        session.mount("http://", adapter)
        return session


_traffic = _Traffic()


def _forget_the_parent() -> None:
    global _traffic
    _traffic = _Traffic()


os.register_at_fork(after_in_child=_forget_the_parent)


def _try_once(call: HostCall, breaker: CircuitBreaker, until: float) -> HostAnswer:
    breaker.refuse_if_open()
    with _traffic.bulkhead.slot(until=until - SHORTEST_EXCHANGE_S):
        is_probe = breaker.admit()
        outcome = Outcome.UNTOLD
        given_s = until - time.monotonic()
        try:
            answer = _exchange(call, until)
            outcome = Outcome.ALIVE
            return answer
        except VideoProviderError as error:
            outcome = _outcome(error, call.patience, given_s)
            raise
        finally:
            breaker.report(outcome, is_probe=is_probe)


def _outcome(error: VideoProviderError, patience: Patience, given_s: float) -> Outcome:
    """A time-out after a long wait in our own queue says nothing about the host."""
    if not isinstance(error, ProviderUnavailable):
        return Outcome.ALIVE
    if error.code == "host_timeout" and given_s < min(patience.total_s, patience.read_s) / 2:
        return Outcome.UNTOLD
    return Outcome.FAILED


def _pause_before_next(call: HostCall, error: VideoProviderError, attempt: int, until: float) -> float | None:
    """Seconds to wait before another try; None when there is none."""
    if not error.is_retryable or attempt == call.patience.tries or error.code in ("host_busy", "host_circuit_open"):
        return None
    if call.carries_open_file or (not call.is_repeatable and not isinstance(error, RateLimited)):
        return None
    jittered_s = call.patience.backoff_s * 2 ** (attempt - 1) * random.uniform(0.5, 1.5)  # noqa: S311 - spreads load
    pause_s = max(jittered_s, error.retry_after_s or 0)
    return pause_s if time.monotonic() + pause_s + SHORTEST_EXCHANGE_S <= until else None


def _exchange(call: HostCall, until: float) -> HostAnswer:
    """Send once and give the answer."""
    deadline = sockets.Deadline(at=until, connect_s=call.patience.connect_s, read_s=call.patience.read_s)
    failure: Exception
    try:
        with sockets.until(deadline):
            status, headers, body = _send(call, deadline)
    except (requests.RequestException, HTTPError, OSError) as error:
        failure = error
    else:
        return _understand(call, status, headers, body)
    # Outside the except block: the library's exception names the whole address and must not travel as context.
    raise _lost(call, failure)


def _send(call: HostCall, deadline: sockets.Deadline) -> tuple[int, Mapping[str, str], bytes]:
    data: Any = call.fields if call.content is None else call.content
    headers = {"Accept": "application/json", **call.headers}
    if call.files is not None:
        data = forms.FormBody(call.fields or {}, call.files)
        headers["Content-Type"] = data.content_type
    with _traffic.session(call.origin).request(
        call.method,
        call.url,
        params=dict(call.params),
        json=call.json,
        data=data,
        headers=headers,
        timeout=(deadline.for_connecting(), deadline.for_reading()),
        allow_redirects=False,
        stream=True,
    ) as response:
        body = b""
        for chunk in response.iter_content(CHUNK_BYTES):
            body += chunk
            if len(body) > BODY_MAX_BYTES:
                raise MalformedResponse(f"{call.alias}: the answer is larger than {BODY_MAX_BYTES} bytes.")
        return response.status_code, response.headers, body


def _lost(call: HostCall, failure: Exception) -> ProviderUnavailable:
    if _is_late(failure):
        return ProviderUnavailable(f"{call.alias}: no answer in time.", code="host_timeout")
    return ProviderUnavailable(f"{call.alias}: the connection failed ({type(failure).__name__}).")


def _is_late(failure: object) -> bool:
    """Whether a time-out is at the bottom of it: the libraries wrap it in the arguments of their own errors."""
    if isinstance(failure, requests.Timeout | TimeoutError | ReadTimeoutError):
        return True
    return isinstance(failure, Exception) and any(_is_late(inner) for inner in failure.args)


def _understand(call: HostCall, status: int, headers: Mapping[str, str], body: bytes) -> HostAnswer:
    data, is_json = _parse(body)
    kind = _error_kind(status, is_json=is_json) or call.explain(status, data)
    if kind is None and status >= 400:
        kind = RateLimited if status == 429 else Rejected
    if kind is None and not 200 <= status < 300:
        kind = MalformedResponse
    if kind is not None:
        raise kind(f"{call.alias}: the host answered {status}.", retry_after_s=_retry_after_s(headers))
    return HostAnswer(status=status, headers=headers, body=body)


def _error_kind(status: int, *, is_json: bool) -> type[VideoProviderError] | None:
    """The error that a status means by itself. A 404 page that is not the API's own says nothing about a video."""
    if status >= 500 or status == 408:
        return ProviderUnavailable
    if status == 404:
        return AssetNotFound if is_json else MalformedResponse
    return {
        401: CredentialsRejected,
        403: CredentialsRejected,
        402: QuotaExceeded,
    }.get(status)


def _parse(body: bytes) -> tuple[Any, bool]:
    try:
        return reading.storable(json_format.loads(body, parse_constant=_refuse_constant)), True
    except (ValueError, RecursionError):
        return None, False


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Seconds from a Retry-After header, given as a number or a date; None when there is none that makes sense."""
    text = headers.get("Retry-After", "")
    try:
        seconds = float(text)
    except ValueError:
        try:
            seconds = email.utils.parsedate_to_datetime(text).timestamp() - time.time()
        except (TypeError, ValueError):
            return None
    return min(max(seconds, 0.0), RETRY_AFTER_MAX_S) if math.isfinite(seconds) else None
