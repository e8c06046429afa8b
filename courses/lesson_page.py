"""A lesson with everything that its page shows."""

from dataclasses import dataclass

from courses.learning import LessonRecord
from courses.models import Lesson
from courses.services.playback import LessonPlayback
from videos.models import Asset


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a lesson stands in its course: `position` counts from 1."""

    position: int
    previous_slug: str | None
    next_slug: str | None


@dataclass(frozen=True, kw_only=True)
class LessonPage:
    """`lesson` was fetched `with_progress` of whoever reads it."""

    lesson: Lesson
    place: Place
    playback: LessonPlayback

    @property
    def record(self) -> LessonRecord:
        return LessonRecord.of(self.lesson)

    @property
    def position_s(self) -> float | None:
        """Where the reader was in the video, in seconds."""
        return self.record.position_s(self._asset.duration_s if self._asset else None)

    @property
    def video_service_id(self) -> str | None:
        return self._asset.host_id if self._asset else None

    @property
    def video_status(self) -> str | None:
        if self.lesson.video is None:
            return None
        return str(self._asset.status) if self._asset else "missing"

    @property
    def _asset(self) -> Asset | None:
        return self.lesson.video.get_current_asset() if self.lesson.video else None


def place_of(lesson: Lesson) -> Place:
    """Find the lesson among its course's lessons; one statement."""
    slugs = list(Lesson.objects.filter(part__course=lesson.part.course_id).in_order().values_list("slug", flat=True))
    index = slugs.index(lesson.slug)
    return Place(
        position=index + 1,
        previous_slug=slugs[index - 1] if index else None,
        next_slug=slugs[index + 1] if index + 1 < len(slugs) else None,
    )
