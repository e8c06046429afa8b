from django.db import models
from django.db.models import Q
from django.utils import timezone

from videos.models.asset import Asset


class WebhookEvent(models.Model):
    """One verified event of a host, whatever the number of times it was sent.

    `payload` is kept of signed hooks alone; of others only the id was believed, and the host is asked.
    """

    provider = models.CharField(max_length=64)
    key = models.CharField(max_length=128, help_text="The host's id of the event, or a digest of what it says.")
    host_id = models.CharField(max_length=255, blank=True)
    kind = models.CharField(max_length=32)
    host_kind = models.CharField(max_length=64, blank=True)
    asset = models.ForeignKey(Asset, null=True, blank=True, on_delete=models.SET_NULL, related_name="webhook_events")
    payload = models.JSONField(default=dict, blank=True)
    times_received = models.PositiveIntegerField(default=1)
    received_at = models.DateTimeField(default=timezone.now)
    handled_at = models.DateTimeField(null=True, blank=True)
    last_error = models.CharField(max_length=255, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["provider", "key"], name="video_hook_once")]
        indexes = [
            models.Index(fields=["received_at"], name="video_hook_unhandled", condition=Q(handled_at=None)),
            models.Index(fields=["asset"], name="video_hook_by_asset"),
        ]

    def __str__(self) -> str:
        return f"{self.provider} {self.kind} {self.host_id}"


class WebhookRefusal(models.Model):
    """How often hooks at a door were refused on a day, and why. Nothing of what they said is kept."""

    provider = models.CharField(max_length=64)
    day = models.DateField()
    code = models.CharField(max_length=64)
    count = models.PositiveBigIntegerField(default=0)
    last_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-day", "provider", "code"]
        constraints = [models.UniqueConstraint(fields=["provider", "day", "code"], name="video_hook_refusal_per_day")]

    def __str__(self) -> str:
        return f"{self.provider} {self.day} {self.code}: {self.count}"
