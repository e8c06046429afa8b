"""How far somebody is: in a lesson from what they watched and marked as done, in a course from its lessons."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from courses.models import Lesson

_OTHER_LENGTH_MS = 1000


class LessonRecord(NamedTuple):
    """What somebody has seen and done of one lesson, by the names that `LessonQuerySet.with_progress` gives."""

    seen_until_s: float | None = None
    seen_ms: int | None = None
    seen_of_ms: int | None = None
    seen_at: datetime | None = None
    watched_at: datetime | None = None
    marked_at: datetime | None = None

    @classmethod
    def of(cls, lesson: Lesson) -> "LessonRecord":
        """The record of a lesson that was fetched `with_progress`."""
        return cls(*(getattr(lesson, name) for name in cls._fields))

    @property
    def coverage(self) -> float | None:
        """Share of the video's distinct seconds seen, 0 to 1; None when nothing is known."""
        if self.seen_ms is None or not self.seen_of_ms:
            return None
        return min(round(self.seen_ms / self.seen_of_ms, 4), 1.0)

    @property
    def completed_at(self) -> datetime | None:
        """When the lesson was first done: watched to the end, or marked."""
        return min((moment for moment in (self.watched_at, self.marked_at) if moment), default=None)

    @property
    def touched_at(self) -> datetime | None:
        """When it was last watched or marked."""
        return max((moment for moment in (self.seen_at, self.marked_at) if moment), default=None)

    def position_s(self, duration_s: float | None) -> float | None:
        """Where the student was, in a video that lasts `duration_s` now; None: nowhere.

        The same share of it, when the video has been replaced by one of another length.
        """
        if not self.seen_until_s:
            return None
        if duration_s and self.seen_of_ms and abs(duration_s * 1000 - self.seen_of_ms) > _OTHER_LENGTH_MS:
            return round(self.seen_until_s * duration_s * 1000 / self.seen_of_ms, 3)
        return self.seen_until_s


class Step(NamedTuple):
    """A lesson on somebody's way through a course."""

    slug: str
    title: str
    duration_s: float | None
    record: LessonRecord
    is_open: bool = True

    @property
    def position_s(self) -> float | None:
        return self.record.position_s(self.duration_s)

    @property
    def is_completed(self) -> bool:
        return self.record.completed_at is not None


@dataclass(frozen=True, kw_only=True)
class CourseProgress:
    """How far somebody is in a course: `next` is where to go on, `last` what they touched last."""

    completed_lessons: int
    total_lessons: int
    next: Step | None
    last: Step | None

    @property
    def percentage(self) -> int:
        """Of lessons done, rounded down, so that 100 means all."""
        return 100 * self.completed_lessons // self.total_lessons if self.total_lessons else 0

    @property
    def next_lesson_slug(self) -> str | None:
        return self.next.slug if self.next else None

    @property
    def last_lesson_slug(self) -> str | None:
        return self.last.slug if self.last else None


def progress_of(steps: Sequence[Step]) -> CourseProgress:
    """Sum up a course whose lessons are `steps`, in order."""
    touched = [step for step in steps if step.record.touched_at is not None]
    last = max(touched, key=lambda step: step.record.touched_at or datetime.min, default=None)
    return CourseProgress(
        completed_lessons=sum(step.is_completed for step in steps),
        total_lessons=len(steps),
        next=_next_step(steps, last),
        last=last,
    )


def _next_step(steps: Sequence[Step], last: Step | None) -> Step | None:
    """What was left unfinished last; else the first unfinished lesson after the one touched last, then from the top."""
    unfinished = [step for step in steps if step.is_open and not step.is_completed]
    begun = [step for step in unfinished if step.record.touched_at is not None]
    if begun:
        return max(begun, key=lambda step: step.record.touched_at or datetime.min)
    start = steps.index(last) + 1 if last else 0
    return next((step for step in [*steps[start:], *steps[:start]] if step in unfinished), None)
