from django.conf import settings
from django.db import models
from django.utils import timezone

from videos.hosted.models.key import ContentKey
from videos.models import PlaybackSession, Video


class SpentToken(models.Model):
    """A licence token that was used: the row is what makes it good for once. Swept when it would have ended anyway."""

    token_id = models.CharField(max_length=64, unique=True)
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.token_id


class LicenceKind(models.TextChoices):
    FIRST = "first"
    RENEWAL = "renewal"


class Licence(models.Model):
    """One answer of the licence server, given or refused; no key material.

    `result` is `issued` or the code of the refusal. What was asked for may be unknown, so every relation may be empty.
    """

    system = models.CharField(max_length=16, help_text="clearkey, aes128, …")
    kind = models.CharField(max_length=16, choices=LicenceKind, default=LicenceKind.FIRST)
    result = models.CharField(max_length=64)
    session = models.ForeignKey(
        PlaybackSession, null=True, blank=True, on_delete=models.SET_NULL, related_name="licences"
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    video = models.ForeignKey(Video, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    key = models.ForeignKey(ContentKey, null=True, blank=True, on_delete=models.SET_NULL, related_name="licences")
    device = models.CharField(max_length=64, blank=True, help_text="Keyed hash of the device's id.")
    ip = models.GenericIPAddressField(null=True, blank=True)
    valid_s = models.PositiveIntegerField(null=True, blank=True)
    took_ms = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["created_at"], name="licence_by_time"),
            models.Index(fields=["user", "-created_at"], name="licence_by_user"),
            models.Index(fields=["video", "-created_at"], name="licence_by_video"),
            models.Index(fields=["ip", "-created_at"], name="licence_by_ip"),
        ]

    def __str__(self) -> str:
        return f"{self.system}: {self.result}"
