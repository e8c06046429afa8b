from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import generics
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from courses.access import may_open_lesson
from courses.api.managing import ManagingView
from courses.api.progress_serializers import CompletionSerializer, StudentProgressSerializer
from courses.learning import LessonRecord
from courses.models import Enrollment, Lesson
from courses.services.completion import mark_completed, unmark_completed


class LessonCompletionView(ManagingView):
    """My mark that I am done with a lesson that I may open."""

    serializer_class = CompletionSerializer

    @extend_schema(request=None, responses={200: CompletionSerializer})
    def post(self, request: Request, slug: str) -> Response:
        """Mark the lesson as done; doing it again changes nothing."""
        mark_completed(user=self.person, lesson=self._open_lesson(slug))
        return self._answer(slug)

    @extend_schema(request=None, responses={200: CompletionSerializer})
    def delete(self, request: Request, slug: str) -> Response:
        """Take the mark back. A lesson whose video I watched to the end stays completed."""
        unmark_completed(user=self.person, lesson=self._open_lesson(slug))
        return self._answer(slug)

    def _open_lesson(self, slug: str) -> Lesson:
        lesson = get_object_or_404(Lesson.objects.select_related("part"), slug=slug)
        if not may_open_lesson(self.person, lesson):
            raise NotFound
        return lesson

    def _answer(self, slug: str) -> Response:
        lesson = Lesson.objects.with_progress(self.person).get(slug=slug)
        return Response(CompletionSerializer(LessonRecord.of(lesson)).data)


class CourseProgressView(generics.ListAPIView, ManagingView):
    """How far the students of a course are, for those who manage it; newest enrollments first."""

    serializer_class = StudentProgressSerializer
    queryset = Enrollment.objects.none()

    def get_queryset(self) -> QuerySet[Enrollment]:
        course = self.managed_course(self.kwargs["slug"])
        return Enrollment.objects.active().filter(course=course).with_progress().select_related("user")
