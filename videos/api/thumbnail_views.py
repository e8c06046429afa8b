"""Pictures of a video: a stable address of ours that leads to the host's short-lived one."""

from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from videos.api.media import SIGNATURE, MediaView, current_copy, redirect_to
from videos.api.schema import errors
from videos.services.addresses import thumbnail_subject
from videos.services.thumbnails import KEPT_S, picture_address

SIZES = (16, 1920)


class ThumbnailQuerySerializer(serializers.Serializer):
    """`second` into the video, sizes in pixels."""

    second = serializers.FloatField(min_value=0, max_value=10**6, required=False)
    width = serializers.IntegerField(min_value=SIZES[0], max_value=SIZES[1], required=False)
    height = serializers.IntegerField(min_value=SIZES[0], max_value=SIZES[1], required=False)


class ThumbnailView(MediaView):
    @extend_schema(
        operation_id="videos_thumbnail",
        parameters=[ThumbnailQuerySerializer, OpenApiParameter(SIGNATURE, str, description="Of a signed address.")],
        responses={
            302: OpenApiResponse(description="To the picture."),
            **errors(
                e400="A value is wrong.",
                e401="Neither signed nor signed in.",
                e403="No right to watch, or `signature_invalid`.",
                e404="Unknown video, `no_thumbnail`, or `thumbnails_unsupported` by this host.",
                e503="`host_misconfigured`.",
            ),
        },
    )
    def get(self, request: Request, video_id: UUID) -> Response:
        """The picture at a second, or the poster without one."""
        video = self.video_to_show(request, video_id, thumbnail_subject(video_id))
        data = ThumbnailQuerySerializer(data=request.query_params)
        data.is_valid(raise_exception=True)
        return redirect_to(picture_address(current_copy(video), **data.validated_data), max_age_s=KEPT_S)
