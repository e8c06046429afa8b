from datetime import datetime

from django.db import models
from django.utils import timezone


class OutgoingMailQuerySet(models.QuerySet["OutgoingMail"]):
    def due(self, now: datetime) -> "OutgoingMailQuerySet":
        return self.filter(sent_at=None, due_at__lte=now)


class OutgoingMail(models.Model):
    """A mail that is owed: written in the transaction of its cause, sent by a worker, found by a sweep.

    `kind` names the function that renders it, `key` makes it unique within the kind, and `reference` holds what the
    renderer needs (ids only: no token and no personal data is stored).
    """

    kind = models.CharField(max_length=64)
    key = models.CharField(max_length=128)
    reference = models.JSONField(default=dict)
    due_at = models.DateTimeField(default=timezone.now)
    sent_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    last_error = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = OutgoingMailQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["kind", "key"], name="mail_once_per_kind_and_key")]
        indexes = [models.Index(fields=["due_at"], name="mail_due", condition=models.Q(sent_at=None))]

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"
