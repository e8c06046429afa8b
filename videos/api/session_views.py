"""A session after its grant: heartbeats, its end, and the list of those that run."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import generics
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from videos.api.errors import SpeaksErrors
from videos.api.parsers import AnyJSONParser, PlainTextJSONParser
from videos.api.playback_serializers import (
    EndRequestSerializer,
    HeartbeatRequestSerializer,
    HeartbeatSerializer,
    RunningSessionSerializer,
)
from videos.api.schema import SESSION_ERRORS, errors
from videos.api.views import VideoPagination
from videos.models import PlaybackSession
from videos.services.errors import InvalidSessionToken
from videos.services.sessions import end_own_session, end_session, heartbeat
from videos.services.streams import UserKey, running_sessions

REPORTED = {"seq": "seq", "position": "position_s", "played": "played", "qoe": "qoe", "events": "events"}

HEARTBEAT = HeartbeatRequestSerializer()
"""One for all requests: building its fields costs more than checking with them, and checking keeps nothing."""


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
        """Report where the player is and what it played, and keep the stream; every 10 s while the page is open."""
        values = HEARTBEAT.run_validation(request.data)
        beat = heartbeat(public_id=session_id, token=self.token(request, values), **_report(values))
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
        token = self.token(request, values)
        if _is_session_token(token) or "token" in values:
            end_session(public_id=session_id, token=token, **_report(values))
        else:
            end_own_session(user_id=self.signed_in_user_id(request), public_id=session_id)
        return Response(status=204, headers={"Cache-Control": "no-store"})

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        self.user_of_session: Any = getattr(request, "user", None)
        return super().initialize_request(request, *args, **kwargs)

    def signed_in_user_id(self, request: Request) -> UserKey:
        """The viewer whom the project's own log-in names; only asked when no session token was sent."""
        # A view without authenticators lets REST Framework overwrite what Django's session said.
        request._request.user = self.user_of_session
        for authenticator in (kind() for kind in APIView.authentication_classes):
            found = authenticator.authenticate(request)
            if found is not None:
                user_id: UserKey = found[0].pk
                return user_id
        raise InvalidSessionToken()

    def get_authenticate_header(self, request: Request) -> str | None:  # type: ignore[override]
        """A log-in that ran out answers 401, as at every other door."""
        return next((kind().authenticate_header(request) for kind in APIView.authentication_classes), None)


class RunningSessionsView(SpeaksErrors, generics.ListAPIView):
    permission_classes = [IsAuthenticated]
    serializer_class = RunningSessionSerializer
    pagination_class = VideoPagination
    filter_backends: Sequence[Any] = ()
    queryset = PlaybackSession.objects.none()

    def get_queryset(self) -> QuerySet[PlaybackSession]:
        return running_sessions(user_id=self.request.user.pk or 0, now=timezone.now())

    def get_serializer_context(self) -> dict[str, Any]:
        device_id = self.request.query_params.get("device_id", "") if self.request else ""
        return {**super().get_serializer_context(), "device_id": device_id}

    @extend_schema(
        operation_id="videos_sessions_list",
        parameters=[OpenApiParameter("device_id", str, description="This device, as in a start of playback.")],
        responses={200: RunningSessionSerializer(many=True), **errors(e401="Not signed in.")},
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """My devices that play, or were granted a viewing and may still use it; newest first."""
        response: Response = self.list(request, *args, **kwargs)
        response["Cache-Control"] = "no-store"
        return response


def _report(values: dict[str, Any]) -> dict[str, Any]:
    return {argument: values[name] for name, argument in REPORTED.items() if name in values}


def _is_session_token(token: str) -> bool:
    """Signed values of Django have colons; a bearer of RFC 6750 has none, whatever the project's log-in makes."""
    return ":" in token
