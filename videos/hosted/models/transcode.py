import uuid
from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from videos.hosted.models.video import HostedVideo, Preset
from videos.providers import failures


class TranscodeKind(models.TextChoices):
    ENCODE = "encode", "encode and package"
    REPACKAGE = "repackage", "package again under a new key"


class TranscodeState(models.TextChoices):
    PENDING = "pending"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"


FAILED_BY_ITSELF = Q(state=TranscodeState.FAILED) & ~Q(failure_code=failures.DELETED)
"""Jobs that failed, and not because their video was deleted meanwhile."""


class Transcode(models.Model):
    """One job that makes a package out of a video's original, or another one out of its package.

    The work is in its `steps`. `failure_code` is one of `videos.providers.failures`; `failure_detail` is for operators.
    `figures` hold seconds spent by kind of step, and bytes.
    """

    public_id = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    video = models.ForeignKey(HostedVideo, on_delete=models.CASCADE, related_name="transcodes")
    kind = models.CharField(max_length=16, choices=TranscodeKind, default=TranscodeKind.ENCODE)
    state = models.CharField(max_length=16, choices=TranscodeState, default=TranscodeState.PENDING)
    preset = models.CharField(max_length=16, choices=Preset, default=Preset.MEDIUM)
    scheme = models.CharField(max_length=16, blank=True, help_text="Of the package; empty until it is decided.")
    stage = models.PositiveSmallIntegerField(default=0)
    progress_percent = models.PositiveSmallIntegerField(default=0)
    failure_code = models.CharField(max_length=64, blank=True)
    failure_detail = models.TextField(blank=True)
    figures = models.JSONField(default=dict, blank=True)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    cleaned_at = models.DateTimeField(null=True, blank=True, help_text="When its working files were gone.")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=TranscodeState.values), name="transcode_state_known"),
            models.CheckConstraint(condition=Q(progress_percent__lte=100), name="transcode_progress_within_100"),
            models.UniqueConstraint(
                fields=["video"],
                condition=Q(state__in=["pending", "processing"]),
                name="transcode_one_running_per_video",
            ),
        ]
        indexes = [
            models.Index(fields=["state", "-id"], name="transcode_by_state"),
            models.Index(fields=["finished_at"], name="transcode_finished"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.video_id} ({self.state})"

    @property
    def work_prefix(self) -> str:
        """Where its intermediate files lie in the store; ends with a slash. Costs a query unless fetched."""
        return f"{self.video.prefix}w/{self.public_id.hex}/"


class StepState(models.TextChoices):
    DUE = "due"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class StepQuerySet(models.QuerySet["Step"]):
    def to_take(self, now: datetime) -> "StepQuerySet":
        """Steps that wait for a worker, and those whose worker was not heard of within its lease."""
        waiting = Q(state=StepState.DUE, due_at__lte=now)
        left_behind = Q(state=StepState.RUNNING, lease_until__lt=now)
        return self.filter(waiting | left_behind).order_by("due_at", "id")


class Step(models.Model):
    """One piece of a transcode that one worker does in one go, and that may be done again from its start.

    A worker holds it by `lease_until`, renewed while it works, and by `fence`, which counts the takings: a worker that
    was thought dead finds another number there and leaves everything as it is.
    """

    transcode = models.ForeignKey(Transcode, on_delete=models.CASCADE, related_name="steps")
    stage = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=16)
    number = models.PositiveIntegerField(default=0)
    state = models.CharField(max_length=16, choices=StepState, default=StepState.DUE)
    order = models.JSONField(default=dict, blank=True, help_text="What is to be done.")
    outcome = models.JSONField(default=dict, blank=True, help_text="What came of it.")
    weight = models.FloatField(default=1, help_text="Its share of the work of its transcode.")
    progress = models.FloatField(default=0, help_text="0 to 1.")
    attempts = models.PositiveSmallIntegerField(default=0)
    fence = models.PositiveBigIntegerField(default=0)
    lease_until = models.DateTimeField(null=True, blank=True)
    due_at = models.DateTimeField(default=timezone.now)
    last_error = models.TextField(blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = StepQuerySet.as_manager()

    class Meta:
        ordering = ["transcode", "stage", "kind", "number"]
        constraints = [
            models.UniqueConstraint(fields=["transcode", "stage", "kind", "number"], name="transcode_step_once"),
            models.CheckConstraint(condition=Q(state__in=StepState.values), name="transcode_step_state_known"),
        ]
        indexes = [
            models.Index(fields=["due_at"], name="transcode_step_due", condition=Q(state__in=["due", "running"]))
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.number} ({self.state})"
