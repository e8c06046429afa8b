import secrets
import uuid
from datetime import datetime

from django.db import models
from django.db.models import F, Q

from videos.hosted.models.video import HostedVideo


class UploadKind(models.TextChoices):
    TUS = "tus", "tus 1.0.0, through this server"
    MULTIPART = "multipart", "S3 multipart, straight to the bucket"


class UploadState(models.TextChoices):
    OPEN = "open"
    COMPLETED = "completed"
    ENDED = "ended", "ended without a file"


def new_secret() -> str:
    return secrets.token_urlsafe(24)


class UploadQuerySet(models.QuerySet["Upload"]):
    def overdue(self, now: datetime) -> "UploadQuerySet":
        """Open uploads whose time is over."""
        return self.filter(state=UploadState.OPEN, expires_at__lt=now)


class Upload(models.Model):
    """A file on its way. Whoever holds `secret` may send it; sizes and offsets in bytes.

    `offset` is what surely lies on disk and was verified; bytes behind it are cut off before more are written.
    `writer` numbers the requests that write: only the latest one may move `offset`.
    """

    public_id = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    secret = models.CharField(max_length=64, default=new_secret, editable=False)
    video = models.ForeignKey(HostedVideo, on_delete=models.CASCADE, related_name="uploads")
    kind = models.CharField(max_length=16, choices=UploadKind)
    state = models.CharField(max_length=16, choices=UploadState, default=UploadState.OPEN)
    key = models.CharField(max_length=200, help_text="Where the file goes in the store.")
    length = models.BigIntegerField()
    offset = models.BigIntegerField(default=0)
    writer = models.PositiveBigIntegerField(default=0)
    content_type = models.CharField(max_length=100, blank=True)
    metadata = models.CharField(max_length=4000, blank=True, help_text="tus: Upload-Metadata as it was sent.")
    multipart_id = models.CharField(max_length=1024, blank=True)
    part_bytes = models.BigIntegerField(null=True, blank=True, help_text="multipart: of every part but the last.")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    completed_at = models.DateTimeField(null=True, blank=True)
    emptied_at = models.DateTimeField(null=True, blank=True, help_text="When what came of a dead upload was removed.")

    objects = UploadQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(length__gte=0), name="upload_length_not_negative"),
            models.CheckConstraint(
                condition=Q(offset__gte=0) & Q(offset__lte=F("length")), name="upload_offset_within_length"
            ),
            models.UniqueConstraint(fields=["video"], condition=Q(state="open"), name="upload_one_open_per_video"),
        ]
        indexes = [models.Index(fields=["expires_at"], name="upload_overdue", condition=Q(state="open"))]

    def __str__(self) -> str:
        return f"{self.kind} {self.public_id}"
