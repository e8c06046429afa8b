from typing import Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser
from rest_framework.request import Request

LENGTH_DIGITS_MAX = 15


def announced_bytes(request: Request) -> int | None:
    """The Content-Length of a request; None when there is none that makes sense."""
    length = request.META.get("CONTENT_LENGTH") or ""
    return int(length) if length.isdecimal() and len(length) <= LENGTH_DIGITS_MAX else None


class AnyJSONParser(JSONParser):
    """JSON, of which a depth that Python cannot follow is malformed too."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        try:
            return super().parse(stream, media_type, parser_context)
        except RecursionError:
            raise ParseError("JSON parse error - too deep") from None


class PlainTextJSONParser(AnyJSONParser):
    """JSON sent as text/plain: what a page may still send across origins while it closes, without a preflight."""

    media_type = "text/plain"
