"""Pictures of films, by addresses that are good for minutes."""

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from videos.api.schema import errors
from videos.hosted.api.token_views import TokenView
from videos.hosted.services.playback.pictures import picture

KEPT = {"Cache-Control": "private, max-age=600"}


class PictureView(TokenView):
    @extend_schema(
        operation_id="videos_picture",
        responses={
            (200, "image/jpeg"): OpenApiTypes.BINARY,
            **errors(
                e403="`signature_invalid`: load the page again.",
                e404="`no_thumbnail`.",
                e503="`host_unavailable`; see Retry-After.",
            ),
        },
    )
    def get(self, request: Request, token: str) -> HttpResponse:
        """A picture of a film, as `<video>/thumbnail/` leads to it."""
        found = picture(token)
        return HttpResponse(found.body, content_type=found.content_type, headers=KEPT)
