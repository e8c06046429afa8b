"""Videos for those who manage them; watching is in `videos.api.playback`."""

from collections.abc import Sequence
from typing import Any, cast
from uuid import UUID

from django.contrib.auth.base_user import AbstractBaseUser
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response

from videos import conf
from videos.api.errors import SpeaksErrors
from videos.api.pagination import VideoPagination
from videos.api.permissions import MayCreateVideos, MayManageVideo
from videos.api.schema import CREATE_ERRORS, MANAGE_ERRORS
from videos.api.serializers import (
    VideoChangesSerializer,
    VideoCreatedSerializer,
    VideoCreateSerializer,
    VideoFilterSerializer,
    VideoSerializer,
    VideoStatusSerializer,
)
from videos.models import Video
from videos.services.details import find_subject, update_video
from videos.services.removal import delete_video
from videos.services.uploads import create_upload, import_video, note_sent


class VideoListView(SpeaksErrors, generics.ListAPIView):
    permission_classes = [MayCreateVideos]
    serializer_class = VideoSerializer
    pagination_class = VideoPagination
    filter_backends: Sequence[Any] = ()
    queryset = Video.objects.none()

    def get_queryset(self) -> QuerySet[Video]:
        data = VideoFilterSerializer(data=self.request.query_params)
        data.is_valid(raise_exception=True)
        mine = Video.objects.with_current_asset().not_deleted().filter(conf.managed_policy()(self.request.user))
        wanted = data.validated_data
        if "tag" in wanted:
            mine = mine.filter(tags__name=wanted["tag"].lower())
        if "status" in wanted:
            mine = mine.with_status(wanted["status"])
        if "search" in wanted:
            mine = mine.filter(title__icontains=wanted["search"])
        if "subject" in wanted:
            subject_type, subject_id = find_subject(wanted["subject"])
            mine = mine.filter(subject_type=subject_type, subject_id=subject_id)
        return mine.prefetch_related("tags")

    @extend_schema(operation_id="videos_list", parameters=[VideoFilterSerializer])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """The videos that I manage, newest first."""
        return self.list(request, *args, **kwargs)

    @extend_schema(
        operation_id="videos_create",
        request=VideoCreateSerializer,
        responses={201: VideoCreatedSerializer, **CREATE_ERRORS},
    )
    def post(self, request: Request) -> Response:
        """Create a video and get the ticket with which the browser uploads its file straight to the host.

        With `source_url` the host fetches the file by itself. `passed_over` names hosts that were asked before.
        """
        data = VideoCreateSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        values = _renamed(data.validated_data)
        create: Any = import_video if "url" in values else create_upload
        video, asset, ticket = create(owner=cast(AbstractBaseUser, request.user), **values)
        body = {
            "video": VideoSerializer(video).data,
            "upload": ticket.as_json(),
            "passed_over": asset.passed_over,
        }
        return Response(body, status=201, headers={"Cache-Control": "no-store"})


_SERVICE_NAMES = {"size": "size_bytes", "provider": "provider_alias", "source_url": "url"}


def _renamed(values: dict[str, Any]) -> dict[str, Any]:
    unused = {"content_type"} if "source_url" in values else set()
    return {_SERVICE_NAMES.get(name, name): value for name, value in values.items() if name not in unused}


class ManagedVideoView(SpeaksErrors):
    permission_classes = [MayManageVideo]

    def managed_video(self, request: Request, video_id: UUID) -> Video:
        video = get_object_or_404(Video.objects.with_current_asset().prefetch_related("tags"), pk=video_id)
        self.check_object_permissions(request, video)
        return video


class VideoView(ManagedVideoView):
    @extend_schema(operation_id="videos_retrieve", responses={200: VideoSerializer, **MANAGE_ERRORS})
    def get(self, request: Request, video_id: UUID) -> Response:
        return Response(VideoSerializer(self.managed_video(request, video_id)).data)

    @extend_schema(
        operation_id="videos_update",
        request=VideoChangesSerializer,
        responses={200: VideoSerializer, **MANAGE_ERRORS},
    )
    def patch(self, request: Request, video_id: UUID) -> Response:
        """Change title, access level, tier, wanted protection and quality, tags or metadata."""
        video = self.managed_video(request, video_id)
        data = VideoChangesSerializer(data=request.data, partial=True)
        data.is_valid(raise_exception=True)
        update_video(video=video, **data.validated_data)
        return Response(VideoSerializer(self.managed_video(request, video_id)).data)

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

    @extend_schema(request=None, responses={200: VideoStatusSerializer, **MANAGE_ERRORS})
    def post(self, request: Request, video_id: UUID) -> Response:
        """Say that the file is at the host, which is then asked at once: not every host tells by itself."""
        video = self.managed_video(request, video_id)
        note_sent(video)
        return Response(VideoStatusSerializer(video).data)
