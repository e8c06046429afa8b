from typing import Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser


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
