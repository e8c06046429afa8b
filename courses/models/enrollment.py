from datetime import datetime
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import Count, Exists, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce

from courses.models.curriculum import Lesson
from courses.models.progress import LessonProgress
from videos.models import VideoProgress

if TYPE_CHECKING:
    from courses.learning import CourseProgress, Step


class EnrollmentSource(models.TextChoices):
    FREE = "free", "free course"
    ORDER = "order", "order"
    STAFF = "staff", "granted by staff"


class EnrollmentQuerySet(models.QuerySet["Enrollment"]):
    def active(self) -> "EnrollmentQuerySet":
        return self.filter(is_active=True)

    def with_progress(self) -> "EnrollmentQuerySet":
        """Annotate each student's `total_lessons`, `completed_lessons`, and `last_watched_at` and `last_marked_at`."""
        mine = Lesson.objects.filter(part__course=OuterRef("course")).order_by().values("part__course")
        student = OuterRef(OuterRef("user"))
        marked = LessonProgress.objects.filter(lesson=OuterRef("pk"), user=student)
        watched = VideoProgress.objects.filter(video=OuterRef("video"), viewer__user=student)
        done = mine.filter(Exists(marked) | Exists(watched.filter(completed_at__isnull=False)))
        return self.annotate(
            total_lessons=_counted(mine),
            completed_lessons=_counted(done),
            last_watched_at=_latest(
                VideoProgress.objects.filter(
                    viewer__user=OuterRef("user"), video__lessons__part__course=OuterRef("course")
                ),
                "last_played_at",
            ),
            last_marked_at=_latest(
                LessonProgress.objects.filter(user=OuterRef("user"), lesson__part__course=OuterRef("course")),
                "completed_at",
            ),
        )


def _counted(lessons: models.QuerySet) -> Coalesce:
    return Coalesce(Subquery(lessons.annotate(n=Count("pk")).values("n")), 0)


def _latest(rows: models.QuerySet, moment: str) -> Subquery:
    return Subquery(rows.order_by(f"-{moment}").values(moment)[:1])


class Enrollment(models.Model):
    """A student's right to a course and where it came from. A right that ended stays as a row."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="enrollments")
    course = models.ForeignKey("courses.Course", on_delete=models.PROTECT, related_name="enrollments")
    source = models.CharField(max_length=16, choices=EnrollmentSource)
    source_reference = models.CharField(max_length=64, blank=True, help_text="For an order: the order's public id.")
    is_active = models.BooleanField(default=True)
    started_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_reason = models.CharField(max_length=32, blank=True)
    wants_updates = models.BooleanField(default=True, help_text="Whether news of the course are mailed.")

    # Set by `courses.reading.fetch_progress`.
    progress: "CourseProgress"
    # Annotated by `with_progress`.
    total_lessons: int
    completed_lessons: int
    last_watched_at: datetime | None
    last_marked_at: datetime | None

    objects = EnrollmentQuerySet.as_manager()

    class Meta:
        ordering = ["-started_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["user", "course"], condition=Q(is_active=True), name="enrollment_one_active_per_course"
            ),
            models.CheckConstraint(
                condition=Q(is_active=True, ended_at=None) | Q(is_active=False, ended_at__isnull=False),
                name="enrollment_ended_has_time",
            ),
        ]
        indexes = [models.Index(fields=["course", "is_active"], name="enrollment_by_course")]

    def __str__(self) -> str:
        return f"{self.user_id} in {self.course_id}"

    @property
    def continue_at(self) -> "Step | None":
        """The lesson to go on with; None when the right has ended or all is done. Needs `progress`."""
        return self.progress.next if self.is_active else None

    @property
    def percentage(self) -> int:
        """Of lessons done, rounded down; of an enrollment that was fetched `with_progress`."""
        return 100 * self.completed_lessons // self.total_lessons if self.total_lessons else 0

    @property
    def last_active_at(self) -> datetime | None:
        """When the student last watched or marked a lesson; of an enrollment that was fetched `with_progress`."""
        return max((moment for moment in (self.last_watched_at, self.last_marked_at) if moment), default=None)
