"""Another file for a video that is there already: straight to the host, or through this server."""

from typing import Any, cast
from uuid import UUID

from django.contrib.auth.base_user import AbstractBaseUser
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import UnsupportedMediaType
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response

from videos.api.errors import LengthRequired
from videos.api.parsers import announced_bytes
from videos.api.schema import FILE_ERRORS, REPLACE_ERRORS
from videos.api.serializers import AssetSerializer, FileSentSerializer, FileSerializer, ReplacementSerializer
from videos.api.views import ManagedVideoView
from videos.models import Asset
from videos.services.errors import InvalidRequest
from videos.services.transfers import send_file
from videos.services.uploads import replace_file


class RawParser(BaseParser):
    """Leaves the body where it is: the view reads it bit by bit."""

    media_type = "*/*"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        return {}


class UploadView(ManagedVideoView):
    @extend_schema(
        operation_id="videos_replace_file",
        request=FileSerializer,
        responses={201: ReplacementSerializer, **REPLACE_ERRORS},
    )
    def post(self, request: Request, video_id: UUID) -> Response:
        """Get a ticket for another file. The present copy plays on until the new one is ready."""
        video = self.managed_video(request, video_id)
        data = FileSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        asset, ticket = replace_file(
            video=video,
            actor=cast(AbstractBaseUser, request.user),
            filename=data.validated_data["filename"],
            size_bytes=data.validated_data["size"],
            content_type=data.validated_data["content_type"],
            provider_alias=data.validated_data["provider"],
        )
        body = _sent(asset) | {"upload": ticket.as_json()}
        return Response(body, status=201, headers={"Cache-Control": "no-store"})


class FileView(ManagedVideoView):
    parser_classes = [RawParser]

    @extend_schema(
        operation_id="videos_send_file",
        parameters=[OpenApiParameter("filename", str, description="The file's name.")],
        request={"application/octet-stream": OpenApiTypes.BINARY},
        responses={201: FileSentSerializer, **FILE_ERRORS},
    )
    def post(self, request: Request, video_id: UUID) -> Response:
        """Send a small file through this server, as the raw body with its Content-Length.

        For large files get a ticket instead: they go straight to the host, and can be resumed.
        """
        video = self.managed_video(request, video_id)
        asset = send_file(
            video=video,
            actor=cast(AbstractBaseUser, request.user),
            stream=request.stream,
            size_bytes=_body_bytes(request),
            filename=request.query_params.get("filename", ""),
            content_type=(request.content_type or "")[:100],
        )
        return Response(_sent(asset), status=201)


def _body_bytes(request: Request) -> int:
    length = announced_bytes(request)
    if (request.content_type or "").startswith("multipart/"):
        raise UnsupportedMediaType(request.content_type)
    if length is None:
        raise LengthRequired()
    if length == 0:
        raise InvalidRequest("body_empty", attr="file", detail="The body is empty.")
    return length


def _sent(asset: Asset) -> dict[str, Any]:
    return {"asset": AssetSerializer(asset).data, "passed_over": asset.passed_over}
