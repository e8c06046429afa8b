from django.conf import settings
from django.db import models
from django.db.models import Q


class CourseUpdate(models.Model):
    """News of a course, mailed to its students. Mails are made in batches: `queued_up_to` says how far that is."""

    course = models.ForeignKey("courses.Course", on_delete=models.CASCADE, related_name="updates")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    subject = models.CharField(max_length=150)
    body = models.TextField(max_length=20_000, help_text="Plain text; empty lines part paragraphs.")
    created_at = models.DateTimeField(auto_now_add=True)
    requested_at = models.DateTimeField(null=True, blank=True, help_text="When it was to be sent; empty: a draft.")
    sent_at = models.DateTimeField(null=True, blank=True, help_text="When the last of its mails was made.")
    recipient_count = models.PositiveIntegerField(default=0)
    queued_up_to = models.PositiveBigIntegerField(
        default=0, editable=False, help_text="The last enrollment that was looked at."
    )

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(sent_at=None) | Q(requested_at__isnull=False), name="course_update_sent_was_requested"
            )
        ]
        indexes = [
            models.Index(
                fields=["requested_at"],
                name="course_update_due",
                condition=Q(requested_at__isnull=False, sent_at=None),
            )
        ]

    def __str__(self) -> str:
        return self.subject
