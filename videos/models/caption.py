from django.db import models
from django.db.models import OuterRef, Q, Subquery
from django.utils import timezone

from videos.models.asset import Asset
from videos.models.video import Video


class CaptionQuerySet(models.QuerySet["Caption"]):
    def with_host_state(self) -> "CaptionQuerySet":
        """Tell of each, as `at_host` and `at_host_error`, how far the host of the current copy is with it.

        `at_host` is a PushState, None where no host is sent captions.
        """
        pushes = CaptionPush.objects.exclude(state=PushState.REMOVING).filter(
            asset__video=OuterRef("video"), asset__is_current=True, language=OuterRef("language")
        )
        return self.annotate(
            at_host=Subquery(pushes.values("state")[:1]), at_host_error=Subquery(pushes.values("last_error")[:1])
        )


class Caption(models.Model):
    """The captions of a video in one language, as normalised WebVTT. They belong to the video, whatever its copies."""

    at_host: str | None
    at_host_error: str | None

    video = models.ForeignKey(Video, on_delete=models.CASCADE, related_name="captions")
    language = models.CharField(max_length=35, help_text="BCP 47, such as en or pt-BR.")
    label = models.CharField(max_length=100)
    body = models.TextField()
    digest = models.CharField(max_length=64, editable=False)
    needs_check = models.BooleanField(
        default=False, help_text="The video was replaced by one of another length: does the timing still fit?"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = CaptionQuerySet.as_manager()

    class Meta:
        ordering = ["language"]
        constraints = [models.UniqueConstraint(fields=["video", "language"], name="caption_once_per_language")]

    def __str__(self) -> str:
        return f"{self.label} ({self.language})"


class PushState(models.TextChoices):
    DUE = "due", "to be sent"
    REMOVING = "removing", "to be removed"
    DONE = "done", "at the host"
    FAILED = "failed", "refused by the host"


class CaptionPush(models.Model):
    """Where one language stands at one copy's host; it outlives the caption until the host has removed it too."""

    asset = models.ForeignKey(Asset, on_delete=models.CASCADE, related_name="caption_pushes")
    language = models.CharField(max_length=35)
    state = models.CharField(max_length=16, choices=PushState, default=PushState.DUE)
    pushed_digest = models.CharField(max_length=64, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(null=True, blank=True, default=timezone.now)
    last_error = models.CharField(max_length=255, blank=True)

    class Meta:
        ordering = ["id"]
        verbose_name_plural = "caption pushes"
        constraints = [models.UniqueConstraint(fields=["asset", "language"], name="push_once_per_asset_and_language")]
        indexes = [models.Index(fields=["due_at"], name="push_due", condition=Q(due_at__isnull=False))]

    def __str__(self) -> str:
        return f"{self.language} at {self.asset_id}: {self.state}"
