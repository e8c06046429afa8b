"""Views whose address holds the right to load: what browsers and players fetch without headers."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from rest_framework.permissions import AllowAny
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request

from videos.api.errors import SpeaksErrors
from videos.hosted.api.secret_addresses import SecretAddress
from videos.services.errors import TooManyStreams

_SHOWN = "Accept-Ranges, Content-Length, Content-Range"
_CORS = {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": _SHOWN}
_PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, HEAD, OPTIONS",
    "Access-Control-Allow-Headers": "Range, Authorization",
    "Access-Control-Max-Age": "86400",
}


class TokenView(SecretAddress, SpeaksErrors):
    """No log-in, no cookie: pages of any origin may load what somebody gave them the address of."""

    authentication_classes: list[Any] = []
    permission_classes = [AllowAny]
    throttle_classes: list[Any] = []
    http_method_names = ["get", "head", "options"]

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:
        """Players name the types they play in Accept; errors are JSON all the same."""
        return JSONRenderer(), JSONRenderer.media_type

    def handle_exception(self, exc: Exception) -> Any:
        """An address may have been passed on: what else its viewer watches is told by a start of playback alone."""
        return super().handle_exception(TooManyStreams() if isinstance(exc, TooManyStreams) else exc)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        answer = super().finalize_response(request, response, *args, **kwargs)
        for name, value in _CORS.items():
            answer[name] = value
        return answer

    def options(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """What a browser asks before it sends a Range header to another origin."""
        return HttpResponse(status=204, headers=_PREFLIGHT)
