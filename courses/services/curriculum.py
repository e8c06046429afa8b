"""Parts and lessons: adding them at the end, giving a whole course its order, taking them away."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from django.db import IntegrityError, transaction
from django.db.models import Max, QuerySet
from django.utils import timezone
from django.utils.text import slugify

from courses.images import delete_stored
from courses.models import Course, Lesson, LessonResource, Part
from courses.services.errors import InvalidChange

LARGEST_POSITION = 2**31 - 1
"""What the column holds; of rows with the same position the newer one is the later."""
_SLUG_MAX = 90


@dataclass(frozen=True, kw_only=True)
class PartOrder:
    """A part and its lessons, in the order that is wanted."""

    id: int
    lessons: Sequence[str]


def add_part(*, course: Course, title: str, position: int | None = None) -> Part:
    """A new part; without `position` it is the last one."""
    with transaction.atomic():
        _lock(course.pk)
        place = _end_of(Part.objects.filter(course=course)) if position is None else position
        return Part.objects.create(course=course, title=title, position=place)


def add_lesson(*, part: Part, title: str, slug: str = "", position: int | None = None, **values: Any) -> Lesson:
    """A new lesson; without `position` it is the last of its part, without `slug` one is made of the title.

    Raises InvalidChange (`unique`).
    """
    with transaction.atomic():
        _lock(part.course_id)
        place = _end_of(Lesson.objects.filter(part=part)) if position is None else position
        lesson = Lesson(part=part, title=title, position=place, **values)
        for candidate in [slug] if slug else _slugs(title):
            if _saved_as(lesson, candidate):
                return lesson
    raise InvalidChange("unique", attr="slug", detail="Another lesson has this slug.")


def order_course(*, course: Course, parts: Sequence[PartOrder]) -> None:
    """Give a course the order of `parts`, which name every part and every lesson of it exactly once.

    Lessons may change their part. Raises InvalidChange (`order_foreign`, `order_repeated`, `order_incomplete`) and
    changes nothing then.
    """
    with transaction.atomic():
        _lock(course.pk)
        rows = {part.pk: part for part in Part.objects.filter(course=course)}
        lessons = {lesson.slug: lesson for lesson in Lesson.objects.filter(part__course=course)}
        _require_same([part.id for part in parts], rows, "parts")
        _require_same([slug for part in parts for slug in part.lessons], lessons, "lessons")
        for part in parts:
            for slug in part.lessons:
                lessons[slug].part = rows[part.id]
            _place([lessons[slug] for slug in part.lessons])
        _place([rows[part.id] for part in parts])
        Part.objects.bulk_update(rows.values(), ["position", "updated_at"])
        Lesson.objects.bulk_update(lessons.values(), ["part", "position", "updated_at"])


def delete_part(part: Part) -> None:
    """Delete a part with its lessons, and their stored files soon after."""
    with transaction.atomic():
        delete_stored([row.file for row in LessonResource.objects.filter(lesson__part=part)])
        part.delete()


def delete_lesson(lesson: Lesson) -> None:
    """Delete a lesson, and its stored files soon after. Its video stays."""
    with transaction.atomic():
        delete_stored([row.file for row in lesson.resources.all()])
        lesson.delete()


def delete_resource(resource: LessonResource) -> None:
    """Delete something to read, and its stored file soon after."""
    with transaction.atomic():
        delete_stored([resource.file])
        resource.delete()


def _lock(course_id: int) -> None:
    Course.objects.select_for_update(no_key=True).get(pk=course_id)


def _end_of(rows: QuerySet[Any]) -> int:
    last: int | None = rows.aggregate(last=Max("position"))["last"]
    return 0 if last is None else min(last + 1, LARGEST_POSITION)


def _slugs(title: str) -> Iterable[str]:
    base = slugify(title)[:_SLUG_MAX].strip("-") or "lesson"
    yield base
    for _ in range(5):
        yield f"{base}-{uuid4().hex[:8]}"


def _saved_as(lesson: Lesson, slug: str) -> bool:
    lesson.slug = slug
    try:
        with transaction.atomic():
            lesson.save(force_insert=True)
    except IntegrityError:
        if Lesson.objects.filter(slug=slug).exists():
            return False
        raise
    return True


def _require_same(named: Sequence[Any], present: dict[Any, Any], attr: str) -> None:
    if foreign := set(named) - present.keys():
        raise InvalidChange("order_foreign", attr=attr, detail=f"Not of this course: {_words(foreign)}.")
    if len(set(named)) < len(named):
        raise InvalidChange("order_repeated", attr=attr, detail="Something is named twice.")
    if left := present.keys() - set(named):
        raise InvalidChange("order_incomplete", attr=attr, detail=f"Not in the order: {_words(left)}.")


def _words(keys: Iterable[Any]) -> str:
    return ", ".join(sorted(map(str, keys))[:10])


def _place(rows: Sequence[Any]) -> None:
    for position, row in enumerate(rows):
        row.position, row.updated_at = position, timezone.now()
