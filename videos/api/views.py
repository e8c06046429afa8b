"""Videos for those who manage them; watching is in `videos.api.playback`."""

from collections.abc import Sequence
from typing import Any, cast
from uuid import UUID

from django.contrib.auth.base_user import AbstractBaseUser
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import generics
from rest_framework.pagination import PageNumberPagination
from rest_framework.request import Request
from rest_framework.response import Response

from videos import conf
from videos.api.errors import SpeaksErrors
from videos.api.permissions import MayCreateVideos, MayManageVideo
from videos.api.schema import CREATE_ERRORS, MANAGE_ERRORS
from videos.api.serializers import (
    VideoCreatedSerializer,
    VideoCreateSerializer,
    VideoSerializer,
    VideoStatusSerializer,
)
from videos.models import Video
from videos.services.removal import delete_video
from videos.services.uploads import create_upload


class VideoPagination(PageNumberPagination):
    page_size = 20
    page_size_query_param = "page_size"
    max_page_size = 100


class VideoListView(SpeaksErrors, generics.ListAPIView):
    permission_classes = [MayCreateVideos]
    serializer_class = VideoSerializer
    pagination_class = VideoPagination
    filter_backends: Sequence[Any] = ()
    queryset = Video.objects.none()

    def get_queryset(self) -> QuerySet[Video]:
        return Video.objects.with_current_asset().not_deleted().filter(conf.managed_policy()(self.request.user))

    @extend_schema(operation_id="videos_list")
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """The videos that I manage, newest first."""
        return self.list(request, *args, **kwargs)

    @extend_schema(
        operation_id="videos_create",
        request=VideoCreateSerializer,
        responses={201: VideoCreatedSerializer, **CREATE_ERRORS},
    )
    def post(self, request: Request) -> Response:
        """Create a video and get the ticket with which the browser uploads its file straight to the host."""
        data = VideoCreateSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        values = dict(data.validated_data)
        video, ticket = create_upload(
            owner=cast(AbstractBaseUser, request.user),
            size_bytes=values.pop("size"),
            provider_alias=values.pop("provider"),
            **values,
        )
        body = {"video": VideoSerializer(video).data, "upload": ticket.as_json()}
        return Response(body, status=201, headers={"Cache-Control": "no-store"})


class ManagedVideoView(SpeaksErrors):
    permission_classes = [MayManageVideo]

    def managed_video(self, request: Request, video_id: UUID) -> Video:
        video = get_object_or_404(Video.objects.with_current_asset(), pk=video_id)
        self.check_object_permissions(request, video)
        return video


class VideoView(ManagedVideoView):
    @extend_schema(operation_id="videos_retrieve", responses={200: VideoSerializer, **MANAGE_ERRORS})
    def get(self, request: Request, video_id: UUID) -> Response:
        return Response(VideoSerializer(self.managed_video(request, video_id)).data)

    @extend_schema(
        operation_id="videos_update", request=VideoSerializer, responses={200: VideoSerializer, **MANAGE_ERRORS}
    )
    def patch(self, request: Request, video_id: UUID) -> Response:
        """Change title, access level, tier or wanted protection."""
        video = self.managed_video(request, video_id)
        data = VideoSerializer(video, data=request.data, partial=True)
        data.is_valid(raise_exception=True)
        data.save()
        return Response(data.data)

    @extend_schema(
        operation_id="videos_delete",
        responses={204: OpenApiResponse(description="Deleted; at the host soon."), **MANAGE_ERRORS},
    )
    def delete(self, request: Request, video_id: UUID) -> Response:
        """Delete the video: nobody can watch it from now on, and the host's copy is removed in the background."""
        delete_video(self.managed_video(request, video_id))
        return Response(status=204)


class VideoStatusView(ManagedVideoView):
    @extend_schema(responses={200: VideoStatusSerializer, **MANAGE_ERRORS})
    def get(self, request: Request, video_id: UUID) -> Response:
        """How far the host is with this video."""
        return Response(VideoStatusSerializer(self.managed_video(request, video_id)).data)
