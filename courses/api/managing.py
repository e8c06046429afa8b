"""Finding what somebody may manage: what they cannot see is not there, what they may only see is refused."""

from typing import TYPE_CHECKING, cast

from django.shortcuts import get_object_or_404
from rest_framework.exceptions import NotFound, PermissionDenied
from rest_framework.generics import GenericAPIView
from rest_framework.permissions import IsAuthenticated

from courses.access import manageable_courses, may_manage_lesson, may_open_lesson, may_see_course
from courses.models import Course, Lesson, LessonQuerySet, Part

if TYPE_CHECKING:
    from users.models import User


class ManagingView(GenericAPIView):
    permission_classes = [IsAuthenticated]

    @property
    def person(self) -> "User":
        return cast("User", self.request.user)

    def managed_course(self, slug: str) -> Course:
        """The course of this slug, fetched as a page; raises NotFound or PermissionDenied."""
        course = get_object_or_404(Course.objects.as_pages(self.person), slug=slug)
        self._require_manager(course)
        return course

    def managed_part(self, part_id: int) -> Part:
        part = get_object_or_404(Part, pk=part_id)
        part.course = get_object_or_404(Course.objects.as_pages(self.person), pk=part.course_id)
        self._require_manager(part.course)
        return part

    def managed_lesson(self, slug: str, lessons: LessonQuerySet | None = None) -> Lesson:
        rows = Lesson.objects.select_related("part__course") if lessons is None else lessons
        lesson = get_object_or_404(rows, slug=slug)
        if not may_manage_lesson(self.person, lesson):
            raise PermissionDenied if may_open_lesson(self.person, lesson) else NotFound
        return lesson

    def _require_manager(self, course: Course) -> None:
        if not manageable_courses(self.person).filter(pk=course.pk).exists():
            raise PermissionDenied if may_see_course(self.person, course) else NotFound
