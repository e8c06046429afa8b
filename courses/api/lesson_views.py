import re
from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from courses.access import may_open_lesson
from courses.api.authoring_serializers import LessonChangesSerializer
from courses.api.managing import ManagingView
from courses.api.serializers import LessonPageSerializer
from courses.lesson_page import LessonPage, place_of
from courses.models import Lesson
from courses.services.curriculum import delete_lesson
from courses.services.lessons import update_lesson
from courses.services.playback import NOTHING_ASKED, LessonPlayback, grant_lesson_playback
from videos.api.context import request_context
from videos.api.throttles import PlaybackThrottle
from videos.models import Video
from videos.services.errors import InvalidRequest

_DEVICE_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


class LessonView(ManagingView):
    """A lesson with its video's credentials, for those who may open it; for others it does not exist."""

    serializer_class = LessonPageSerializer

    @extend_schema(
        parameters=[
            OpenApiParameter("playback", bool, description="false: leave the credentials out and start no session."),
            OpenApiParameter("X-Device-Id", str, OpenApiParameter.HEADER, description="A UUID that the browser keeps."),
        ]
    )
    def get(self, request: Request, slug: str) -> Response:
        lesson = self._get_lesson(slug)
        if not may_open_lesson(request.user, lesson):
            raise NotFound
        return self._answer(lesson, self._playback(lesson))

    @extend_schema(request=LessonChangesSerializer)
    def patch(self, request: Request, slug: str) -> Response:
        """Change a lesson, its place, or its video by the host's id."""
        lesson = self.managed_lesson(slug, Lesson.objects.select_related("part__course", "video"))
        context = self.get_serializer_context()
        changes = LessonChangesSerializer(lesson, data=request.data, partial=True, context=context)
        changes.is_valid(raise_exception=True)
        values = dict(changes.validated_data)
        video_service_id = values.pop("video_service_id", None)
        try:
            update_lesson(lesson=lesson, actor=self.person, changes=values, video_service_id=video_service_id)
        except InvalidRequest as error:
            raise ValidationError({"video_service_id": [error.detail]}, code=error.code) from error
        return self._answer(self._get_lesson(lesson.slug), NOTHING_ASKED)

    @extend_schema(responses={204: OpenApiResponse(description="Deleted.")})
    def delete(self, request: Request, slug: str) -> Response:
        """Delete a lesson. Its video stays."""
        delete_lesson(self.managed_lesson(slug))
        return Response(status=204)

    def _get_lesson(self, slug: str) -> Lesson:
        lessons = Lesson.objects.select_related("part__course").with_progress(self.request.user)
        lesson = get_object_or_404(lessons, slug=slug)
        if lesson.video_id:
            lesson.video = Video.objects.to_play(lesson.video_id)
        return lesson

    def _playback(self, lesson: Lesson) -> LessonPlayback:
        request = self.request
        if lesson.video is None or not _wants_credentials(request):
            return NOTHING_ASKED
        throttle = PlaybackThrottle()
        if not throttle.allow_request(request, self):
            return LessonPlayback.throttled(throttle.wait())
        device_id = request.headers.get("X-Device-Id", "")
        return grant_lesson_playback(
            user=self.person,
            video=lesson.video,
            device_id=device_id if _DEVICE_ID.fullmatch(device_id) else "",
            context=request_context(request._request),
        )

    def _answer(self, lesson: Lesson, playback: LessonPlayback) -> Response:
        page = LessonPage(lesson=lesson, place=place_of(lesson), playback=playback)
        body: dict[str, Any] = LessonPageSerializer(page, context=self.get_serializer_context()).data
        return Response(body, headers={"Cache-Control": "no-store", "Vary": "Authorization"})


def _wants_credentials(request: Request) -> bool:
    purpose = request.headers.get("Sec-Purpose", "") or request.headers.get("Purpose", "")
    is_asked = request.query_params.get("playback", "").lower() not in {"false", "0", "no"}
    return request.method == "GET" and is_asked and not purpose.lower().startswith("prefetch")
