"""Figures for those who manage a video, and for those who run the platform."""

from collections.abc import Sequence
from datetime import UTC
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.dateparse import parse_datetime
from drf_spectacular.utils import extend_schema
from rest_framework import generics
from rest_framework.exceptions import NotFound
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request
from rest_framework.response import Response

from videos.api.errors import SpeaksErrors
from videos.api.permissions import RunsThePlatform
from videos.api.schema import MANAGE_ERRORS, METRICS_ERRORS, STATISTICS_ERRORS
from videos.api.statistics_serializers import (
    MetricsSerializer,
    StatisticsRequestSerializer,
    StatisticsSerializer,
    ViewSerializer,
)
from videos.api.views import ManagedVideoView
from videos.models import PlaybackSession
from videos.services.metrics import platform_metrics
from videos.services.statistics import statistics_of, views_of


class StatisticsView(ManagedVideoView):
    @extend_schema(
        operation_id="videos_statistics",
        parameters=[StatisticsRequestSerializer],
        responses={200: StatisticsSerializer, **STATISTICS_ERRORS},
    )
    def get(self, request: Request, video_id: UUID) -> Response:
        """How much of a video is watched, of all time or between two UTC days. Its managers do not count."""
        video = self.managed_video(request, video_id)
        span = StatisticsRequestSerializer(data=request.query_params)
        span.is_valid(raise_exception=True)
        return Response(statistics_of(video, **span.validated_data).as_json())


class ViewPagination(CursorPagination):
    """`{next, previous, results}` without a count, so that a page costs the same whatever the history."""

    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 100
    ordering = ("-created_at", "-id")

    def decode_cursor(self, request: Request) -> Any:
        cursor = super().decode_cursor(request)
        if cursor is not None and cursor.position is not None and not _is_moment(str(cursor.position)):
            raise NotFound(self.invalid_cursor_message)
        return cursor

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        link = {"type": ["string", "null"], "format": "uri"}
        properties = {"next": link, "previous": link, "results": schema}
        return {"type": "object", "required": ["results"], "properties": properties}


def _is_moment(text: str) -> bool:
    try:
        moment = parse_datetime(text)
        return moment is not None and moment.tzinfo is not None and moment.astimezone(UTC) == moment
    except (ValueError, OverflowError):
        return False


class ViewListView(generics.ListAPIView, ManagedVideoView):
    serializer_class = ViewSerializer
    pagination_class = ViewPagination
    filter_backends: Sequence[Any] = ()
    queryset = PlaybackSession.objects.none()

    def get_queryset(self) -> QuerySet[PlaybackSession]:
        video = self.managed_video(self.request, self.kwargs["video_id"])
        return views_of(video)

    @extend_schema(operation_id="videos_views", responses={200: ViewSerializer, **MANAGE_ERRORS})
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """The viewings that count, newest first."""
        return self.list(request, *args, **kwargs)


class MetricsView(SpeaksErrors):
    permission_classes = [RunsThePlatform]

    @extend_schema(operation_id="videos_metrics", responses={200: MetricsSerializer, **METRICS_ERRORS})
    def get(self, request: Request) -> Response:
        """The whole platform in figures, for its staff."""
        return Response(MetricsSerializer(platform_metrics()).data)
