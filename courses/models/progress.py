"""What students have done themselves; what they have watched is in `videos.VideoProgress`."""

from django.conf import settings
from django.db import models
from django.utils import timezone


class LessonProgress(models.Model):
    """A student marked a lesson as done. One that is not here may still be done: its video was watched to the end."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="lesson_progress")
    lesson = models.ForeignKey("courses.Lesson", on_delete=models.CASCADE, related_name="progress")
    completed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-completed_at", "-id"]
        verbose_name_plural = "lesson progress"
        constraints = [models.UniqueConstraint(fields=["user", "lesson"], name="lesson_progress_once")]

    def __str__(self) -> str:
        return f"{self.user_id} in {self.lesson_id}"
