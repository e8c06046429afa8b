from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from courses.api.authoring_serializers import LessonVideoAnswerSerializer, LessonVideoSerializer
from courses.api.authoring_views import AuthoringView, changes_refused_as_400
from courses.models import Lesson
from courses.services.errors import InvalidChange
from courses.services.lesson_videos import attach_video, upload_lesson_video
from courses.services.lessons import set_video_service_id
from videos.api.errors import SpeaksErrors
from videos.models import Video


class LessonVideoView(SpeaksErrors, AuthoringView):
    serializer_class = LessonVideoSerializer

    @extend_schema(responses={201: LessonVideoAnswerSerializer, 200: LessonVideoAnswerSerializer})
    def post(self, request: Request, slug: str) -> Response:
        """Give a lesson its video: a ticket for a file that the browser uploads, or a video that is there already.

        A file is protected as the lesson calls for (paid lessons and exams by DRM, where a host gives it), unless
        `protection` says otherwise. A video that the lesson shows already plays on until its new copy is ready.
        """
        lesson = self.managed_lesson(slug, Lesson.objects.select_related("part__course", "video"))
        values = self.sent(LessonVideoSerializer).validated_data
        if "filename" in values:
            return self._upload(lesson, values)
        with changes_refused_as_400():
            video = self._attach(lesson, values)
        return self._answer(video, {"asset": None, "upload": None}, status=200)

    def _attach(self, lesson: Lesson, values: dict[str, Any]) -> Video:
        if "video_id" in values:
            return attach_video(lesson=lesson, actor=self.person, video_id=values["video_id"])
        video = set_video_service_id(lesson=lesson, actor=self.person, video_service_id=values["video_service_id"])
        if video is None:
            raise InvalidChange("blank", attr="video_service_id", detail="This field may not be blank.")
        return video

    def _upload(self, lesson: Lesson, values: dict[str, Any]) -> Response:
        video, asset, ticket = upload_lesson_video(
            lesson=lesson,
            actor=self.person,
            filename=values["filename"],
            size_bytes=values["size"],
            content_type=values["content_type"],
            title=values["title"],
            protection=values.get("protection"),
            quality=values.get("quality"),
            provider_alias=values["provider"],
        )
        return self._answer(video, {"asset": asset, "upload": ticket.as_json()}, status=201)

    def _answer(self, video: Video, sent: dict[str, Any], *, status: int) -> Response:
        shown = Video.objects.with_current_asset().prefetch_related("tags").get(pk=video.pk)
        body = LessonVideoAnswerSerializer({"video": shown, **sent}, context=self.get_serializer_context()).data
        return Response(body, status=status, headers={"Cache-Control": "no-store"})
