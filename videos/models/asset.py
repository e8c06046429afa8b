from datetime import datetime

from django.db import models
from django.db.models import Q
from django.utils import timezone


class Protection(models.TextChoices):
    OPEN = "open"
    ENCRYPTED = "encrypted"
    DRM = "drm"


class AssetStatus(models.TextChoices):
    WAITING = "waiting"
    PROCESSING = "processing"
    READY = "ready"
    FAILED = "failed"
    DELETED = "deleted"


class AssetQuerySet(models.QuerySet["Asset"]):
    def due_for_poll(self, now: datetime) -> "AssetQuerySet":
        return self.filter(next_poll_at__lte=now).order_by("next_poll_at")

    def never_uploaded(self, before: datetime) -> "AssetQuerySet":
        """Copies still waiting for a file whose ticket ended before that moment."""
        return self.filter(status=AssetStatus.WAITING, upload_expires_at__lt=before)


class Asset(models.Model):
    """One copy of a video at one host. `host_status` is the host's own word, `raw` its last answer."""

    video = models.ForeignKey("videos.Video", on_delete=models.CASCADE, related_name="assets")
    provider = models.CharField(max_length=64, help_text="Alias in VIDEO_PROVIDERS.")
    host_id = models.CharField(max_length=255)
    is_current = models.BooleanField(default=True)
    is_next = models.BooleanField(default=False, help_text="Takes the current copy's place once it is ready.")
    status = models.CharField(max_length=16, choices=AssetStatus, default=AssetStatus.WAITING)
    host_status = models.CharField(max_length=64, blank=True)
    progress_percent = models.PositiveSmallIntegerField(null=True, blank=True, help_text="Of the host's processing.")
    failure_code = models.CharField(max_length=64, blank=True)
    failure_reason = models.CharField(max_length=255, blank=True, help_text="In words that a teacher understands.")
    announced_status = models.CharField(
        max_length=16, blank=True, editable=False, help_text="The settled status that listeners were last told."
    )
    protection = models.CharField(max_length=16, choices=Protection)
    duration_s = models.FloatField(null=True, blank=True)
    size_bytes = models.BigIntegerField(null=True, blank=True)
    poster_url = models.URLField(max_length=1000, blank=True)
    raw = models.JSONField(default=dict, blank=True)
    poll_attempts = models.PositiveSmallIntegerField(default=0)
    next_poll_at = models.DateTimeField(
        null=True, blank=True, default=timezone.now, help_text="When the host is asked again; empty: no longer."
    )
    source_name = models.CharField(max_length=255, blank=True, help_text="Name of the uploaded file.")
    passed_over = models.JSONField(
        default=list, blank=True, help_text="Hosts that were asked before and could not take the file: alias and code."
    )
    created_at = models.DateTimeField(auto_now_add=True)
    upload_expires_at = models.DateTimeField(null=True, blank=True, help_text="End of the upload ticket.")
    uploaded_at = models.DateTimeField(null=True, blank=True, help_text="When the host first had the file.")
    ready_at = models.DateTimeField(null=True, blank=True)

    objects = AssetQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["provider", "host_id"], name="asset_once_per_host"),
            models.UniqueConstraint(fields=["video"], condition=Q(is_current=True), name="asset_one_current_per_video"),
            models.UniqueConstraint(fields=["video"], condition=Q(is_next=True), name="asset_one_next_per_video"),
            models.CheckConstraint(condition=~Q(is_current=True, is_next=True), name="asset_current_or_next"),
            models.CheckConstraint(condition=Q(status__in=AssetStatus.values), name="asset_status_known"),
        ]
        indexes = [
            models.Index(fields=["next_poll_at"], name="asset_poll_due", condition=Q(next_poll_at__isnull=False)),
            models.Index(
                fields=["upload_expires_at"],
                name="asset_upload_due",
                condition=Q(status="waiting", upload_expires_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.provider}:{self.host_id}"
