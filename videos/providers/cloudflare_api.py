"""Calls to Cloudflare's API, and what its envelope says: https://developers.cloudflare.com/api/resources/stream/"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from videos.providers import http, reading
from videos.providers.exceptions import (
    CredentialsRejected,
    MalformedResponse,
    QuotaExceeded,
    Rejected,
    VideoProviderError,
)

ERRORS: Mapping[int, type[VideoProviderError]] = {10000: CredentialsRejected, 10011: QuotaExceeded}
# 120 videos may be queued or encoded at once; then the answer is 429 or 413: https://developers.cloudflare.com/stream/faq/
FULL = re.compile(r"queued|encoding|capacity|quota", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class StreamApi:
    """One account of Stream. Methods raise VideoProviderError; `values` are further members of a HostCall, whose
    patience is BACKGROUND unless another one is named."""

    alias: str
    url: str
    account_id: str
    token: str = field(repr=False)

    def call(self, method: str, path: str, **values: Any) -> Any:
        """The `result` of an answer in the API's envelope."""
        answer = http.fetch_json(self._host_call(method, self._account_url(path), **values))
        if not isinstance(answer, dict) or "result" not in answer:
            raise MalformedResponse(f"{self.alias}: an answer without a result.")
        return answer["result"]

    def send(self, method: str, path: str, **values: Any) -> http.HostAnswer:
        """The answer as it came, for calls that are answered without a body."""
        return http.fetch(self._host_call(method, self._account_url(path), **values))

    def graphql(self, body: Mapping[str, Any]) -> Any:
        """The answer of the GraphQL API, whose envelope is another one."""
        return http.fetch_json(self._host_call("POST", f"{self.url}/graphql", json=body))

    def _account_url(self, path: str) -> str:
        return f"{self.url}/accounts/{self.account_id}{path}"

    def _host_call(
        self, method: str, url: str, *, headers: Mapping[str, str] | None = None, **values: Any
    ) -> http.HostCall:
        return http.HostCall(
            alias=self.alias,
            method=method,
            url=url,
            headers={"Authorization": f"Bearer {self.token}", **(headers or {})},
            explain=explain,
            **{"patience": http.BACKGROUND, **values},
        )


def explain(status: int, body: Any) -> type[VideoProviderError] | None:
    """The error that an envelope tells, where the status says less or even 200."""
    if not isinstance(body, dict) or body.get("success") is not False:
        return None
    told = [error for error in body.get("errors") or () if isinstance(error, dict)]
    known = next((ERRORS[code] for code in map(_code, told) if code in ERRORS), None)
    if known is None and status in (413, 429):
        is_full = any(FULL.search(reading.text(error.get("message"))) for error in told)
        return QuotaExceeded if is_full else None
    return known or (Rejected if status < 400 else None)


def members(value: Any) -> dict[str, Any]:
    """The value when it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def _code(error: Mapping[str, Any]) -> int:
    code = error.get("code")
    return code if isinstance(code, int) else 0
