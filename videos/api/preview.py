"""Watching a video on its page in the admin."""

from typing import Any
from uuid import UUID

from django.http import Http404
from rest_framework.authentication import SessionAuthentication
from rest_framework.permissions import IsAdminUser
from rest_framework.request import Request
from rest_framework.response import Response

from videos import conf
from videos.api.playback import PlaybackView
from videos.models import Video


class PreviewView(PlaybackView):
    """The playback door in a session of the admin, for those who manage the video; the access policy has the rest."""

    authentication_classes = [SessionAuthentication]
    permission_classes = [IsAdminUser]
    schema: Any = None  # the admin's own, not of the public API

    def post(self, request: Request, video_id: UUID) -> Response:
        video = Video.objects.filter(pk=video_id).first()
        if video is None or not conf.manage_policy()(request.user, video):
            raise Http404
        return super().post(request, video_id)
