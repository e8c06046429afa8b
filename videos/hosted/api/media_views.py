"""Media files, where they go through this server: as bytes, or as a word to the server in front of it."""

from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request

from videos.api.schema import errors
from videos.hosted.api.token_views import TokenView
from videos.hosted.services.playback.media import Media, Unsatisfiable, media

KEPT = {"Cache-Control": "private, max-age=86400, immutable"}


class HostedMediaView(TokenView):
    @extend_schema(
        operation_id="videos_media",
        responses={
            (200, "video/mp4"): OpenApiTypes.BINARY,
            (206, "video/mp4"): OpenApiTypes.BINARY,
            416: OpenApiResponse(description="No byte of the file is in the range."),
            **errors(
                e403="`signature_invalid`, `session_ended` or `session_revoked`: stop the player.",
                e404="There is no such file.",
                e409="`too_many_streams`; which ones, a start of playback tells.",
                e503="`host_unavailable` or `host_misconfigured`; see Retry-After.",
            ),
        },
    )
    def get(self, request: Request, token: str, name: str) -> HttpResponseBase:
        """A media file, or one stretch of it (`Range`)."""
        is_get = request.method == "GET"
        try:
            found = media(token=token, name=name, wanted=request.headers.get("Range", "") if is_get else "")
        except Unsatisfiable as error:
            return HttpResponse(status=416, headers={"Content-Range": f"bytes */{error.total}"})
        if found.internal_path:
            return HttpResponse(
                content_type=found.content_type, headers={"X-Accel-Redirect": found.internal_path} | KEPT
            )
        return _bytes(found) if is_get else HttpResponse(headers=_headers(found), content_type=found.content_type)


def _bytes(found: Media) -> StreamingHttpResponse:
    status = 206 if found.is_part else 200
    return StreamingHttpResponse(
        found.blocks(), status=status, headers=_headers(found), content_type=found.content_type
    )


def _headers(found: Media) -> dict[str, str]:
    if found.stretch is None:
        return KEPT
    headers = {"Accept-Ranges": "bytes", "Content-Length": str(found.stretch.length)} | KEPT
    return headers | ({"Content-Range": found.stretch.content_range} if found.is_part else {})
