"""What of courses is read in bulk: the people of many cards, the curriculum of one page."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from django.contrib.auth import get_user_model
from django.db.models import F

from courses.access import Person, lesson_decisions
from courses.models import Course, Lesson, LessonRef, Part


class OutlineLesson(NamedTuple):
    """A line of the curriculum; `duration` of the video and `my_position` in it are seconds."""

    slug: str
    title: str
    is_free_preview: bool
    is_exam: bool
    duration: float | None
    has_video: bool
    is_locked: bool
    my_position: float | None


@dataclass(frozen=True, kw_only=True)
class OutlinePart:
    title: str
    lessons: list[OutlineLesson]


@dataclass(frozen=True, kw_only=True)
class Outline:
    parts: list[OutlinePart]

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
    lessons = Lesson.objects.filter(part__course=course).as_outline(user).order_by("position", "pk")
    columns = ("part_id", "pk", "slug", "title", "is_free_preview", "is_exam", "duration_s", "has_video")
    rows = list(lessons.values_list(*columns, "my_position_s"))
    decisions = lesson_decisions(user, [LessonRef(row[1], course.pk, row[4]) for row in rows])
    lines = defaultdict(list)
    for part_id, pk, slug, title, is_free_preview, is_exam, duration_s, has_video, my_position_s in rows:
        is_locked = not decisions[pk].allowed
        lines[part_id].append(
            OutlineLesson(slug, title, is_free_preview, is_exam, duration_s, has_video, is_locked, my_position_s)
        )
    parts = Part.objects.filter(course=course).values_list("pk", "title")
    return Outline(parts=[OutlinePart(title=title, lessons=lines[pk]) for pk, title in parts])
