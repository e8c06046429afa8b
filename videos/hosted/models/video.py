import uuid

from django.db import models
from django.db.models import Q

from videos.models import Asset, Protection


class Preset(models.TextChoices):
    """How much is spent on a picture; the ladder never goes above the source."""

    HIGH = "high", "high (1080p, 720p, 480p; slower, larger)"
    MEDIUM = "medium", "medium (1080p, 720p, 480p)"
    LOW = "low", "low (720p, 480p; quick, small)"


class HostedVideo(models.Model):
    """One copy at our own host: the file that came, and the package that is played.

    `host_id`, the hex of `public_id`, is what `videos.Asset` knows it by. `source_key` names the original in the store;
    it is empty before the file came and once the original was let go.
    """

    public_id = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    alias = models.CharField(max_length=64, help_text="Alias in VIDEO_PROVIDERS.")
    title = models.CharField(max_length=200, blank=True)
    protection = models.CharField(max_length=16, choices=Protection, default=Protection.ENCRYPTED)
    preset = models.CharField(max_length=16, choices=Preset, default=Preset.MEDIUM)
    source_key = models.CharField(max_length=200, blank=True)
    source_name = models.CharField(max_length=255, blank=True)
    source_bytes = models.BigIntegerField(null=True, blank=True)
    source_info = models.JSONField(default=dict, blank=True, help_text="What the probe found in the original.")
    package = models.ForeignKey(
        "videos_hosted.Package",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="What is played; moving this pointer switches every new viewing at once.",
    )
    created_at = models.DateTimeField(auto_now_add=True)
    deleted_at = models.DateTimeField(null=True, blank=True, help_text="Nothing of it plays; its files go soon.")
    emptied_at = models.DateTimeField(null=True, blank=True, help_text="When the last of its files was gone.")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(protection__in=[Protection.OPEN, Protection.ENCRYPTED]), name="hosted_protection_known"
            ),
            models.CheckConstraint(condition=Q(preset__in=Preset.values), name="hosted_preset_known"),
        ]
        indexes = [
            models.Index(
                fields=["deleted_at"],
                name="hosted_to_empty",
                condition=Q(deleted_at__isnull=False, emptied_at__isnull=True),
            )
        ]

    def __str__(self) -> str:
        return self.title or self.host_id

    @property
    def host_id(self) -> str:
        return self.public_id.hex

    @property
    def prefix(self) -> str:
        """Where everything of this copy lies in the store; ends with a slash."""
        return f"{self.public_id.hex}/"

    def get_asset(self) -> Asset | None:
        """The copy's row in `videos`; costs a query."""
        return Asset.objects.filter(provider=self.alias, host_id=self.host_id).select_related("video").first()
