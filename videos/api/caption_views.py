"""Captions: written by those who manage a video, read by those who watch it."""

from collections.abc import Mapping
from typing import Any, cast
from uuid import UUID

from django.core.exceptions import RequestDataTooBig
from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import generics, serializers
from rest_framework.parsers import BaseParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from videos import conf
from videos.api.media import SIGNATURE, MediaView
from videos.api.pagination import VideoPagination
from videos.api.parsers import announced_bytes
from videos.api.schema import MANAGE_ERRORS, errors
from videos.api.views import ManagedVideoView
from videos.models import Caption, PushState
from videos.services.addresses import caption_subject
from videos.services.captions import delete_caption, language_tag, put_caption
from videos.services.errors import InvalidRequest

KEPT_S = 300
FORM_EXTRA_BYTES = 64 * 1024
"""What a form holds beside the file."""


_AT_HOST = [PushState.DUE, PushState.DONE, PushState.FAILED]


class CaptionSerializer(serializers.ModelSerializer):
    """`needs_check`: the video was replaced by one of another length since these captions were written.

    `at_host`: how far the host of the current copy is, null where no host is sent captions; `at_host_error` says why
    it refused them, or why they wait.
    """

    at_host = serializers.ChoiceField(choices=_AT_HOST, allow_null=True)
    at_host_error = serializers.SerializerMethodField()

    class Meta:
        model = Caption
        fields = ["language", "label", "needs_check", "at_host", "at_host_error", "created_at", "updated_at"]
        read_only_fields = fields

    def get_at_host_error(self, caption: Caption) -> str:
        return caption.at_host_error or ""


class VttParser(BaseParser):
    """The body as it is, up to the limit and one byte more."""

    media_type = "text/vtt"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> dict[str, bytes]:
        wanted = conf.caption_max_bytes() + 1
        body = stream.read(wanted)
        announced = announced_bytes(cast(Mapping[str, Any], parser_context)["request"])
        if announced is not None and len(body) < min(announced, wanted):
            # Captions that end after any cue are valid, so that their length alone tells that some are missing.
            raise InvalidRequest("body_incomplete", attr="file", detail="The body was cut off.")
        return {"body": body}


class PlainVttParser(VttParser):
    media_type = "text/plain"


class CaptionListView(ManagedVideoView, generics.ListAPIView):
    serializer_class = CaptionSerializer
    pagination_class = VideoPagination
    filter_backends: list[Any] = []
    queryset = Caption.objects.none()

    def get_queryset(self) -> QuerySet[Caption]:
        video = self.managed_video(self.request, self.kwargs["video_id"])
        return Caption.objects.filter(video=video).with_host_state().defer("body")

    @extend_schema(operation_id="videos_captions_list", responses={200: CaptionSerializer(many=True), **MANAGE_ERRORS})
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """The languages of a video's captions, by language tag."""
        return self.list(request, *args, **kwargs)


class CaptionView(ManagedVideoView, MediaView):
    parser_classes = [VttParser, PlainVttParser, MultiPartParser]

    def get_permissions(self) -> list[Any]:
        kind = MediaView if self.request.method in ("GET", "HEAD") else ManagedVideoView
        return [permission() for permission in kind.permission_classes]

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:
        # A player may ask for text/vtt alone, and errors are JSON all the same.
        return super().perform_content_negotiation(request, force=True)

    @extend_schema(
        operation_id="videos_captions_retrieve",
        parameters=[OpenApiParameter(SIGNATURE, str, description="Of a signed address.")],
        responses={
            (200, "text/vtt"): str,
            304: OpenApiResponse(description="Unchanged since the ETag that was sent."),
            **errors(
                e400="`language_invalid`.",
                e401="Neither signed nor signed in.",
                e403="No right to watch, or `signature_invalid`.",
                e404="Unknown video, or no captions in this language.",
            ),
        },
    )
    def get(self, request: Request, video_id: UUID, language: str) -> HttpResponse:
        """The captions as WebVTT."""
        self.video_to_show(request, video_id, caption_subject(video_id, language))
        caption = Caption.objects.filter(video_id=video_id, language=language_tag(language)).first()
        if caption is None:
            raise Http404
        etag = f'"{caption.digest}"'
        is_known = etag in request.headers.get("If-None-Match", "")
        answer = HttpResponse(
            b"" if is_known else caption.body, status=304 if is_known else 200, content_type="text/vtt; charset=utf-8"
        )
        answer["ETag"], answer["X-Content-Type-Options"] = etag, "nosniff"
        answer["Cache-Control"] = f"private, max-age={KEPT_S}"
        if SIGNATURE in request.query_params:
            # A <track> of a page of any origin; the signature is what gives access.
            answer["Access-Control-Allow-Origin"] = "*"
        return answer

    @extend_schema(
        operation_id="videos_captions_update",
        request={
            "text/vtt": {"type": "string"},
            "multipart/form-data": {
                "type": "object",
                "properties": {"file": {"type": "string", "format": "binary"}, "label": {"type": "string"}},
                "required": ["file"],
            },
        },
        parameters=[OpenApiParameter("label", str, description="What viewers read; the language's name by default.")],
        responses={
            200: CaptionSerializer,
            **MANAGE_ERRORS,
            **errors(
                e400="`body_incomplete`, `caption_invalid` with its line, `caption_is_srt`, `caption_too_large`, "
                "`language_invalid`, `too_many_captions`."
            ),
        },
    )
    def put(self, request: Request, video_id: UUID, language: str) -> Response:
        """Set the captions in one language: WebVTT as the body, or as `file` of a form."""
        video = self.managed_video(request, video_id)
        body, label = _sent(request)
        caption = put_caption(video=video, language=language, label=label, body=body)
        kept = get_object_or_404(Caption.objects.with_host_state().defer("body"), pk=caption.pk)
        return Response(CaptionSerializer(kept).data)

    @extend_schema(
        operation_id="videos_captions_delete",
        responses={204: OpenApiResponse(description="Removed; at the host soon."), **MANAGE_ERRORS},
    )
    def delete(self, request: Request, video_id: UUID, language: str) -> Response:
        """Remove the captions in one language."""
        if not delete_caption(video=self.managed_video(request, video_id), language=language):
            raise Http404
        return Response(status=204)


def _sent(request: Request) -> tuple[bytes, str]:
    label = request.query_params.get("label", "")
    try:
        _refuse_large(request)
        data = cast(Mapping[str, Any], request.data)
    except RequestDataTooBig:
        raise InvalidRequest("caption_too_large", attr="file", detail="The form is too large.") from None
    if "body" in data and isinstance(data["body"], bytes):
        return data["body"], label
    file = request.FILES.get("file")
    if file is None:
        raise InvalidRequest("required", attr="file", detail="Send WebVTT as the body, or as `file` of a form.")
    return file.read(conf.caption_max_bytes() + 1), str(data.get("label", label))


def _refuse_large(request: Request) -> None:
    """Before the body is read: the file of a form is written to disk, however large it is."""
    if (announced_bytes(request) or 0) > conf.caption_max_bytes() + FORM_EXTRA_BYTES:
        raise RequestDataTooBig
