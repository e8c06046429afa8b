"""Watching: the grant, and a session's heartbeats and end."""

from typing import Any
from uuid import UUID

from django.http import Http404
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from videos.api.context import anonymous_device, remember_device, request_context
from videos.api.errors import SpeaksErrors
from videos.api.parsers import AnyJSONParser, PlainTextJSONParser
from videos.api.playback_serializers import (
    EndRequestSerializer,
    GrantSerializer,
    HeartbeatRequestSerializer,
    HeartbeatSerializer,
    OtpRequestSerializer,
    OtpSerializer,
    PlaybackRequestSerializer,
)
from videos.api.schema import GRANT_ERRORS, SESSION_ERRORS
from videos.api.throttles import PlaybackThrottle
from videos.models import SessionDoor, Video
from videos.providers.types import VdoCipherPlayback
from videos.services.errors import AccessDenied, InvalidRequest
from videos.services.grants import Grant
from videos.services.playback import open_session
from videos.services.sessions import end_session, heartbeat


class GrantView(SpeaksErrors):
    """A start of playback; anonymous people get as far as the video's access level lets them."""

    permission_classes = [AllowAny]
    throttle_classes = [PlaybackThrottle]

    def grant(self, request: Request, video_id: UUID, device_id: str) -> Grant:
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
        return Response(self.grant(request, video_id, data.validated_data["device_id"]).as_json())


class OtpView(GrantView):
    @extend_schema(request=OtpRequestSerializer, responses={200: OtpSerializer, **GRANT_ERRORS})
    def post(self, request: Request, video_id: UUID) -> Response:
        """Start watching with VdoCipher's player: the same grant, in that player's own words."""
        data = OtpRequestSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        grant = self.grant(request, video_id, data.validated_data["device_id"])
        if not isinstance(grant.playback, VdoCipherPlayback):
            end_session(public_id=grant.session.public_id, token=grant.session.token)
            raise InvalidRequest("no_otp", attr="video", detail="This video plays in another player: use playback/.")
        return Response(
            {
                "otp": grant.playback.otp,
                "playbackInfo": grant.playback.playback_info,
                "session": grant.session.as_json(),
                "expires_at": grant.expires_at,
            }
        )


class SessionView(SpeaksErrors):
    """Authorised by the session's own token alone: no log-in, no query for a user."""

    authentication_classes: list[Any] = []
    permission_classes = [AllowAny]
    throttle_classes: list[Any] = []
    parser_classes = [AnyJSONParser, PlainTextJSONParser]

    def token(self, request: Request, data: dict[str, Any]) -> str:
        scheme, _, bearer = request.headers.get("Authorization", "").partition(" ")
        return str(data.get("token") or (bearer if scheme.lower() == "bearer" else ""))


class HeartbeatView(SessionView):
    @extend_schema(request=HeartbeatRequestSerializer, responses={200: HeartbeatSerializer, **SESSION_ERRORS})
    def post(self, request: Request, session_id: UUID) -> Response:
        """Report where the player is and keep the stream; every 10 s while the page is open."""
        data = HeartbeatRequestSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        values = data.validated_data
        beat = heartbeat(
            public_id=session_id,
            token=self.token(request, values),
            seq=values["seq"],
            position_s=values["position"],
        )
        return Response(beat.as_json(), headers={"Cache-Control": "no-store"})


class EndView(SessionView):
    @extend_schema(
        request=EndRequestSerializer, responses={204: OpenApiResponse(description="Ended."), **SESSION_ERRORS}
    )
    def post(self, request: Request, session_id: UUID) -> Response:
        """Give the stream back, with where the player was left. Ending twice is the same as once."""
        data = EndRequestSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        values = data.validated_data
        end_session(
            public_id=session_id,
            token=self.token(request, values),
            seq=values.get("seq"),
            position_s=values.get("position"),
        )
        return Response(status=204, headers={"Cache-Control": "no-store"})
