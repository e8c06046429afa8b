import uuid

from django.db import models
from django.db.models import Q

from videos.hosted.models.key import ContentKey
from videos.hosted.models.video import HostedVideo


class Scheme(models.TextChoices):
    """How the files of a package are encrypted."""

    OPEN = "open", "not encrypted"
    CBCS = "cbcs", "CMAF, AES-CBC with a pattern (ClearKey, FairPlay, Widevine)"
    AES128 = "aes128", "HLS in MPEG-TS, AES-128 (encryption with access control, not DRM)"


class PackageState(models.TextChoices):
    BUILDING = "building"
    PUBLISHED = "published"
    RETIRED = "retired", "replaced: its files go once nobody can be playing them"
    ABANDONED = "abandoned", "never published: its files go at once"
    EMPTIED = "emptied", "its files are gone"


class Package(models.Model):
    """The files that are played, under one prefix of the store, made once and never changed.

    Written as `building` before its first file, so that a sweep finds whatever a process that died has left.
    `renditions` tell height, width, bandwidth (bits/s), codecs and frame rate; `pictures` the sprite sheet's measures.
    """

    public_id = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    video = models.ForeignKey(HostedVideo, on_delete=models.CASCADE, related_name="packages")
    transcode = models.ForeignKey(
        "videos_hosted.Transcode", null=True, blank=True, on_delete=models.SET_NULL, related_name="packages"
    )
    key = models.ForeignKey(ContentKey, null=True, blank=True, on_delete=models.PROTECT, related_name="packages")
    scheme = models.CharField(max_length=16, choices=Scheme)
    state = models.CharField(max_length=16, choices=PackageState, default=PackageState.BUILDING)
    renditions = models.JSONField(default=list, blank=True)
    pictures = models.JSONField(default=dict, blank=True)
    duration_s = models.FloatField(null=True, blank=True)
    size_bytes = models.BigIntegerField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    published_at = models.DateTimeField(null=True, blank=True)
    empty_at = models.DateTimeField(null=True, blank=True, help_text="When the files of a dead package may go.")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(scheme__in=Scheme.values), name="package_scheme_known"),
            models.CheckConstraint(condition=Q(state__in=PackageState.values), name="package_state_known"),
            models.CheckConstraint(
                condition=Q(scheme="open", key__isnull=True)
                | Q(key__isnull=False) & ~Q(scheme="open")
                | Q(state__in=["abandoned", "emptied"]),
                name="package_key_fits_scheme",
            ),
        ]
        indexes = [
            models.Index(fields=["empty_at"], name="package_to_empty", condition=Q(state__in=["retired", "abandoned"]))
        ]

    def __str__(self) -> str:
        return f"{self.video_id}: {self.scheme} ({self.state})"

    @property
    def prefix(self) -> str:
        """Where its files lie in the store; ends with a slash. Costs a query unless the video was fetched."""
        return f"{self.video.prefix}p/{self.public_id.hex}/"


class Manifest(models.Model):
    """One playlist of a package as the packager wrote it: neutral about hosts, keys and signatures."""

    package = models.ForeignKey(Package, on_delete=models.CASCADE, related_name="manifests")
    name = models.CharField(max_length=64, help_text="master.m3u8, manifest.mpd, v1080.m3u8, …")
    body = models.TextField()

    class Meta:
        ordering = ["package", "name"]
        constraints = [models.UniqueConstraint(fields=["package", "name"], name="manifest_once_per_package")]

    def __str__(self) -> str:
        return self.name
