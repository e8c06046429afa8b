from datetime import datetime

from django.db import models
from django.utils import timezone


class OutgoingMailQuerySet(models.QuerySet["OutgoingMail"]):
    def due(self, now: datetime) -> "OutgoingMailQuerySet":
        return self.filter(status=OutgoingMail.Status.WAITING, due_at__lte=now)


class OutgoingMail(models.Model):
    """A mail that is owed: written in the transaction of its cause, sent by a worker, found by a sweep.

    `kind` names the function that renders it, `key` makes it unique within the kind, and `reference` holds what the
    renderer needs (ids only: no token and no personal data is stored). While a worker sends it, `due_at` is the end of
    that worker's lease and `attempts` its fencing number.
    """

    class Status(models.TextChoices):
        WAITING = "waiting"
        SENT = "sent"
        DROPPED = "dropped", "nothing left to say"
        GIVEN_UP = "given_up", "given up"

    kind = models.CharField(max_length=64)
    key = models.CharField(max_length=128)
    reference = models.JSONField(default=dict)
    status = models.CharField(max_length=16, choices=Status, default=Status.WAITING)
    due_at = models.DateTimeField(default=timezone.now)
    sent_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    last_error = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = OutgoingMailQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["kind", "key"], name="mail_once_per_kind_and_key"),
            models.CheckConstraint(
                condition=models.Q(status="sent", sent_at__isnull=False)
                | (~models.Q(status="sent") & models.Q(sent_at=None)),
                name="mail_sent_has_its_time",
            ),
        ]
        indexes = [models.Index(fields=["due_at"], name="mail_due", condition=models.Q(status="waiting"))]

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"
