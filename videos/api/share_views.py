from dataclasses import asdict
from uuid import UUID

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from videos.api.errors import SpeaksErrors
from videos.api.schema import SHARE_ERRORS
from videos.api.statistics_serializers import ShareSerializer
from videos.models import Video
from videos.services.errors import AccessDenied
from videos.services.sharing import share_of


class ShareView(SpeaksErrors):
    """Whoever may watch a public or unlisted video may pass its address on, signed in or not."""

    permission_classes = [AllowAny]

    @extend_schema(responses={200: ShareSerializer, **SHARE_ERRORS})
    def get(self, request: Request, video_id: UUID) -> Response:
        """The page of the video and the HTML that shows it elsewhere. Shares are counted by heartbeat events."""
        video = get_object_or_404(Video, pk=video_id)
        try:
            share = share_of(video, user=request.user)
        except AccessDenied:
            if not request.user.is_authenticated:
                self.permission_denied(request)
            raise
        return Response(ShareSerializer(asdict(share)).data)
