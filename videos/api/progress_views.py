"""What the signed-in viewer has seen."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import generics
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from videos.api.errors import SpeaksErrors
from videos.api.playback_serializers import ListedProgressSerializer, ProgressSerializer
from videos.api.schema import errors
from videos.api.views import VideoPagination
from videos.models import Video, VideoProgress
from videos.services.progress import continue_watching, progress_of

PROGRESS_ERRORS = errors(e401="Not signed in.", e403="Never watched, and no right to watch.", e404="Unknown video.")


class ProgressView(SpeaksErrors):
    permission_classes = [IsAuthenticated]

    @extend_schema(responses={200: ProgressSerializer, **PROGRESS_ERRORS})
    def get(self, request: Request, video_id: UUID) -> Response:
        """Where I am in this video, how much of it I have seen on all my devices, and what is missing."""
        video = Video.objects.to_play(video_id)
        if video is None:
            raise Http404
        seen = progress_of(user=request.user, video=video)
        return Response(ProgressSerializer(seen).data, headers={"Cache-Control": "no-store"})


class ProgressListView(SpeaksErrors, generics.ListAPIView):
    permission_classes = [IsAuthenticated]
    serializer_class = ListedProgressSerializer
    pagination_class = VideoPagination
    filter_backends: Sequence[Any] = ()
    queryset = VideoProgress.objects.none()

    def get_queryset(self) -> QuerySet[VideoProgress]:
        return continue_watching(user_id=self.request.user.pk or 0)

    @extend_schema(
        operation_id="videos_progress_list",
        responses={200: ListedProgressSerializer(many=True), **errors(e401="Not signed in.")},
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """The videos that I watch, last played first."""
        response: Response = self.list(request, *args, **kwargs)
        response["Cache-Control"] = "no-store"
        return response
