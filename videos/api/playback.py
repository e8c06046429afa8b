"""Watching: the grant. What follows it is in `videos.api.session_views`."""

from typing import Any
from uuid import UUID

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from videos.api.context import anonymous_device, remember_device, request_context
from videos.api.errors import SpeaksErrors
from videos.api.playback_serializers import (
    GrantSerializer,
    OtpRequestSerializer,
    OtpSerializer,
    PlaybackRequestSerializer,
)
from videos.api.schema import GRANT_ERRORS
from videos.api.throttles import PlaybackThrottle
from videos.models import SessionDoor, Video
from videos.providers.types import VdoCipherPlayback
from videos.services.errors import AccessDenied
from videos.services.grants import Grant
from videos.services.playback import open_session


class GrantView(SpeaksErrors):
    """A start of playback; anonymous people get as far as the video's access level lets them."""

    permission_classes = [AllowAny]
    throttle_classes = [PlaybackThrottle]

    def grant(
        self,
        request: Request,
        video_id: UUID,
        device_id: str,
        *,
        instead_of: UUID | None = None,
        by_otp: bool = False,
    ) -> Grant:
        video = Video.objects.to_play(video_id)
        if video is None:
            raise Http404
        try:
            return open_session(
                user=request.user,
                video=video,
                door=SessionDoor.PLAYBACK,
                device_id=device_id if request.user.is_authenticated else self.anonymous_device_id,
                context=request_context(request._request),
                instead_of=instead_of,
                by_otp=by_otp,
            )
        except AccessDenied:
            if not request.user.is_authenticated:
                self.permission_denied(request)
            raise

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        self.anonymous_device_id = "" if request.user.is_authenticated else anonymous_device(request._request)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().finalize_response(request, response, *args, **kwargs)
        response["Cache-Control"] = "no-store"
        if response.status_code == 200 and getattr(self, "anonymous_device_id", ""):
            remember_device(request._request, response, self.anonymous_device_id)
        return response


class PlaybackView(GrantView):
    @extend_schema(request=PlaybackRequestSerializer, responses={200: GrantSerializer, **GRANT_ERRORS})
    def post(self, request: Request, video_id: UUID) -> Response:
        """Start watching: claims one of the viewer's concurrent streams and gives what the player needs."""
        data = PlaybackRequestSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        values = data.validated_data
        return Response(self.grant(request, video_id, values["device_id"], instead_of=values["end"]).as_json())


class OtpView(GrantView):
    @extend_schema(request=OtpRequestSerializer, responses={200: OtpSerializer, **GRANT_ERRORS})
    def post(self, request: Request, video_id: UUID) -> Response:
        """Start watching with VdoCipher's player: the same grant, in that player's own words."""
        data = OtpRequestSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        grant = self.grant(request, video_id, data.validated_data["device_id"], by_otp=True)
        if not isinstance(grant.playback, VdoCipherPlayback):
            raise TypeError(f"A host that plays by OTP gave {grant.player}.")
        return Response(
            {
                "otp": grant.playback.otp,
                "playbackInfo": grant.playback.playback_info,
                "session": grant.session.as_json(),
                "expires_at": grant.expires_at,
            }
        )
