"""What looks unlike one person learning: shared accounts, bots, attempts that were refused."""

from django.db import models
from django.utils import timezone

from videos.models.video import Video
from videos.models.viewing import Viewer


class RefusedStart(models.Model):
    """A start that was refused: who, what, when, from where, why."""

    viewer = models.ForeignKey(Viewer, null=True, on_delete=models.CASCADE, related_name="refusals")
    video = models.ForeignKey(Video, on_delete=models.CASCADE, related_name="refusals")
    code = models.CharField(max_length=64)
    device_id = models.CharField(max_length=64, blank=True)
    ip = models.GenericIPAddressField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["created_at"], name="refused_start_by_time")]

    def __str__(self) -> str:
        return f"{self.code} at {self.created_at}"


class UnusualUseKind(models.TextChoices):
    MANY_ADDRESSES = "many_addresses", "watched from many networks"
    MANY_DEVICES = "many_devices", "watched on many devices"
    MANY_VIDEOS = "many_videos", "many videos within an hour"
    MANY_REFUSALS = "many_refusals", "many refused starts"


class UnusualUse(models.Model):
    """One finding about one viewer on one day; seeing it again raises its figure."""

    viewer = models.ForeignKey(Viewer, on_delete=models.CASCADE, related_name="unusual_uses")
    kind = models.CharField(max_length=32, choices=UnusualUseKind)
    day = models.DateField()
    figure = models.PositiveIntegerField()
    limit = models.PositiveIntegerField()
    first_seen_at = models.DateTimeField(default=timezone.now)
    last_seen_at = models.DateTimeField(default=timezone.now)
    dismissed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-day", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["viewer", "kind", "day"], name="unusual_use_once_per_day"),
            models.CheckConstraint(condition=models.Q(kind__in=UnusualUseKind.values), name="unusual_use_kind_known"),
        ]

    def __str__(self) -> str:
        return f"{self.kind}: {self.figure}"
