import uuid

from django.db import models
from django.db.models import Q

from videos.hosted.models.video import HostedVideo


class KeyState(models.TextChoices):
    ACTIVE = "active"
    REVOKED = "revoked", "revoked: no licence is given for it"


class ContentKey(models.Model):
    """The key that one package of a video is encrypted with, wrapped; the key itself is in no column.

    `wrapped` opens only with the context of this row (`context`), so that it is worth nothing in another one. `iv` is
    public knowledge by design of `cbcs`; it belongs to the key, and all files of a package use it.
    """

    kid = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    video = models.ForeignKey(HostedVideo, on_delete=models.CASCADE, related_name="keys")
    version = models.PositiveIntegerField()
    state = models.CharField(max_length=16, choices=KeyState, default=KeyState.ACTIVE)
    wrapped = models.TextField()
    wrapped_by = models.CharField(max_length=200, help_text="The key-encryption key, by its id; not the key.")
    iv = models.BinaryField(max_length=16)
    created_at = models.DateTimeField(auto_now_add=True)
    rewrapped_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["video", "version"], name="content_key_version_once"),
            models.CheckConstraint(condition=Q(state__in=KeyState.values), name="content_key_state_known"),
        ]
        indexes = [models.Index(fields=["wrapped_by", "id"], name="content_key_by_wrapper")]

    def __str__(self) -> str:
        return f"{self.kid} (version {self.version})"

    @property
    def context(self) -> dict[str, str]:
        """What the wrapping is bound to: KMS calls it the encryption context, AES-GCM the additional data."""
        return {"app": "videos", "asset": self.video.public_id.hex, "kid": self.kid.hex, "v": str(self.version)}
