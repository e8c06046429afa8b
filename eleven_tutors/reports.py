"""What reports of errors leave out."""

import re
from typing import Any

# Tokens of viewings, keys and pictures, secrets of uploads: longer than most names. A UUID opens nothing.
_SECRET = re.compile(r"(?<=[^/]/)(?![0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?:/|$))[^/]{30,}")


def without_addresses(event: Any, hint: Any) -> Any:
    """A report without what the address of its request would let its reader do; for Sentry's `before_send`."""
    request = event.get("request", {})
    if "url" in request:
        request["url"] = _SECRET.sub("[secret]", request["url"])
    request.pop("query_string", None)
    return event
