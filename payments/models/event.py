from django.db import models
from django.db.models import Q
from django.utils import timezone

from payments.models.payment import Payment


class WebhookEvent(models.Model):
    """One verified delivery that we act on: what it was, and whether its work is done."""

    event_id = models.CharField(max_length=255, unique=True)
    type = models.CharField(max_length=100)
    object_id = models.CharField(max_length=255)
    livemode = models.BooleanField()
    api_version = models.CharField(max_length=64, blank=True)
    occurred_at = models.DateTimeField(default=timezone.now, help_text="When it happened, by the provider's clock.")
    payment = models.ForeignKey(Payment, null=True, blank=True, on_delete=models.SET_NULL, related_name="events")
    payload = models.JSONField(default=dict, help_text="Trimmed: ids, amounts and states only.")
    received_at = models.DateTimeField(auto_now_add=True)
    handled_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    last_error = models.TextField(blank=True)

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["type", "object_id"], name="webhook_object"),
            models.Index(fields=["received_at"], name="webhook_unhandled", condition=Q(handled_at=None)),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.event_id}"
