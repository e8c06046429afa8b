"""Playlists: signed for one viewing on their way out."""

from uuid import UUID

from django.http import HttpResponse
from django.utils.decorators import method_decorator
from django.views.decorators.gzip import gzip_page
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from videos.api.schema import errors
from videos.hosted.api.token_views import TokenView
from videos.hosted.services.playback import manifests, mpd, playlists, sprites

NO_STORE = {"Cache-Control": "no-store"}
ERRORS = errors(
    e403="`signature_invalid`, `session_ended` or `session_revoked`: stop the player.",
    e404="There is no such playlist.",
    e409="`too_many_streams`; which ones, a start of playback tells.",
    e503="`host_unavailable` or `host_misconfigured`; see Retry-After.",
)


class MasterView(TokenView):
    @extend_schema(
        operation_id="videos_manifest_master",
        parameters=[OpenApiParameter("token", str, description="The session's token, where no bearer can be sent.")],
        responses={302: OpenApiResponse(description="To the master playlist of this viewing."), **ERRORS},
    )
    def get(self, request: Request, video_id: UUID) -> Response:
        """The HLS master playlist of a viewing, by the session's token as bearer or as `token`."""
        scheme, _, bearer = request.headers.get("Authorization", "").partition(" ")
        token = request.query_params.get("token") or (bearer if scheme.lower() == "bearer" else "")
        address = manifests.master_url(video_id=video_id, session_token=token)
        return Response(status=302, headers={"Location": address} | NO_STORE)


@method_decorator(gzip_page, name="dispatch")
class ManifestView(TokenView):
    """Compressed where the player takes it: the address of each stretch is the same one again."""

    @extend_schema(
        operation_id="videos_manifest",
        responses={
            (200, playlists.TYPE): OpenApiTypes.STR,
            (200, mpd.TYPE): OpenApiTypes.STR,
            (200, sprites.TYPE): OpenApiTypes.STR,
            **ERRORS,
        },
    )
    def get(self, request: Request, video_id: UUID, token: str, name: str) -> HttpResponse:
        """A playlist, DASH manifest or track of pictures, signed for the viewing that its address names."""
        site = request.build_absolute_uri("/").rstrip("/")
        found = manifests.manifest(video_id=video_id, token=token, name=name, site=site)
        return HttpResponse(found.body, content_type=found.content_type, headers=NO_STORE)
