"""What of courses is read in bulk: the people of many cards, the curriculum of one page."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from django.contrib.auth import get_user_model
from django.db.models import F

from courses.access import Person, lesson_decisions
from courses.learning import CourseProgress, LessonRecord, Step, progress_of
from courses.models import Course, Enrollment, Lesson, LessonRef, Part

if TYPE_CHECKING:
    from users.models import User


class OutlineLesson(NamedTuple):
    """A line of the curriculum; `duration` of the video and `my_position` in it are seconds, `my_coverage` a share."""

    slug: str
    title: str
    is_free_preview: bool
    is_exam: bool
    duration: float | None
    has_video: bool
    is_locked: bool
    my_position: float | None
    my_coverage: float | None
    is_completed: bool


@dataclass(frozen=True, kw_only=True)
class OutlinePart:
    id: int
    title: str
    lessons: list[OutlineLesson]


@dataclass(frozen=True, kw_only=True)
class Outline:
    """A curriculum; `progress` is that of whoever asked, None for anonymous readers."""

    parts: list[OutlinePart]
    progress: CourseProgress | None

    @property
    def lesson_count(self) -> int:
        return sum(len(part.lessons) for part in self.parts)

    @property
    def first_lesson_slug(self) -> str | None:
        return next((lesson.slug for part in self.parts for lesson in part.lessons), None)


def fetch_people(courses: Sequence[Course]) -> None:
    """Give each of `courses` its instructors as `people`; one statement."""
    people = defaultdict(list)
    found = (
        get_user_model()
        .objects.filter(taught_courses__in=[course.pk for course in courses])
        .annotate(course_id=F("taught_courses"))
    )
    for person in found.only("first_name", "last_name", "username").order_by("pk"):
        people[person.course_id].append(person)
    for course in courses:
        course.people = people[course.pk]


def outline_of(course: Course, user: Person) -> Outline:
    """The curriculum of `course` for `user`; three statements whatever its length.

    Lessons are read as plain rows: making a model of each of two hundred costs more than all the rest of the page.
    """
    lessons = Lesson.objects.filter(part__course=course).as_outline(user).in_order()
    columns = ("part_id", "pk", "slug", "title", "is_free_preview", "is_exam", "has_video", "duration_s")
    rows = list(lessons.values_list(*columns, *LessonRecord._fields))
    decisions = lesson_decisions(user, [LessonRef(row[1], course.pk, row[4]) for row in rows])
    lines, steps = defaultdict(list), []
    for part_id, pk, slug, title, is_free_preview, is_exam, has_video, duration_s, *recorded in rows:
        step = Step(slug, title, duration_s, LessonRecord(*recorded), is_open=decisions[pk].allowed)
        steps.append(step)
        lines[part_id].append(
            OutlineLesson(
                slug=slug,
                title=title,
                is_free_preview=is_free_preview,
                is_exam=is_exam,
                duration=duration_s,
                has_video=has_video,
                is_locked=not step.is_open,
                my_position=step.position_s,
                my_coverage=step.record.coverage,
                is_completed=step.is_completed,
            )
        )
    parts = Part.objects.filter(course=course).values_list("pk", "title")
    return Outline(
        parts=[OutlinePart(id=pk, title=title, lessons=lines[pk]) for pk, title in parts],
        progress=progress_of(steps) if user.is_authenticated else None,
    )


def fetch_progress(enrollments: Sequence[Enrollment], user: "User") -> None:
    """Give each of `enrollments` of `user` its `progress`; one statement whatever their number."""
    courses = {enrollment.course_id for enrollment in enrollments}
    lessons = Lesson.objects.filter(part__course__in=courses).with_duration().with_progress(user).in_order()
    columns = ("part__course_id", "slug", "title", "duration_s")
    steps = defaultdict(list)
    for course_id, slug, title, duration_s, *recorded in lessons.values_list(*columns, *LessonRecord._fields):
        steps[course_id].append(Step(slug, title, duration_s, LessonRecord(*recorded)))
    for enrollment in enrollments:
        enrollment.progress = progress_of(steps[enrollment.course_id])
