"""Jobs of our own host: those of a video for who manages it, all of them for who runs the platform."""

from collections.abc import Sequence
from typing import Any, cast
from uuid import UUID

from django.contrib.auth.base_user import AbstractBaseUser
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response

from videos.api.errors import SpeaksErrors
from videos.api.pagination import VideoPagination
from videos.api.permissions import RunsThePlatform
from videos.api.schema import MANAGE_ERRORS, METRICS_ERRORS, errors
from videos.api.views import ManagedVideoView
from videos.hosted.api.transcode_serializers import (
    MonitoredTranscodeSerializer,
    TranscodeFilterSerializer,
    TranscodeRequestSerializer,
    TranscodeSerializer,
)
from videos.hosted.models import Transcode
from videos.hosted.services.operations.monitoring import shown_transcodes, transcodes_of, video_ids
from videos.services.preparing import prepare_again

_ERRORS = MANAGE_ERRORS | errors(
    e400="A field is wrong, or `protection_unavailable`.",
    e409="`transcode_running`, `source_gone`, `transcode_unsupported` (another kind of host), `video_missing` or "
    "`video_deleted`.",
)


class VideoTranscodesView(generics.ListAPIView, ManagedVideoView):
    serializer_class = TranscodeSerializer
    pagination_class = VideoPagination
    filter_backends: Sequence[Any] = ()
    queryset = Transcode.objects.none()

    def get_queryset(self) -> QuerySet[Transcode]:
        return transcodes_of(self.managed_video(self.request, self.kwargs["video_id"]))

    @extend_schema(operation_id="videos_transcodes_of", responses={200: TranscodeSerializer, **MANAGE_ERRORS})
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """The jobs that prepared this video at our own host, the latest first; ask again to see one go on."""
        return self.list(request, *args, **kwargs)

    @extend_schema(
        operation_id="videos_transcode",
        request=TranscodeRequestSerializer,
        responses={202: TranscodeSerializer, **_ERRORS},
    )
    def post(self, request: Request, video_id: UUID) -> Response:
        """Prepare the video's original again, with another quality or protection. What plays now plays on till then."""
        video = self.managed_video(request, video_id)
        data = TranscodeRequestSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        asset = prepare_again(video=video, actor=cast(AbstractBaseUser, request.user), **data.validated_data)
        begun = shown_transcodes().filter(video__public_id=UUID(hex=asset.host_id))[0]
        return Response(TranscodeSerializer(begun).data, status=202, headers={"Cache-Control": "no-store"})


class TranscodeListView(SpeaksErrors, generics.ListAPIView):
    permission_classes = [RunsThePlatform]
    serializer_class = MonitoredTranscodeSerializer
    pagination_class = VideoPagination
    filter_backends: Sequence[Any] = ()
    queryset = Transcode.objects.none()

    @extend_schema(
        operation_id="videos_transcodes",
        parameters=[TranscodeFilterSerializer],
        responses={200: MonitoredTranscodeSerializer(many=True), **METRICS_ERRORS},
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """All jobs of our own host, the latest first, for the platform's staff."""
        data = TranscodeFilterSerializer(data=request.query_params)
        data.is_valid(raise_exception=True)
        page: Any = self.paginate_queryset(shown_transcodes().filter(**data.validated_data))
        context = {**self.get_serializer_context(), "video_ids": video_ids(page)}
        return self.get_paginated_response(MonitoredTranscodeSerializer(page, many=True, context=context).data)
