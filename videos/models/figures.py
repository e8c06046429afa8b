"""Figures rolled up from sessions. Reading them costs the same whatever the history."""

from django.db import models

from videos.models.asset import Asset
from videos.models.video import Video


class Counters(models.Model):
    """What is counted; sums are whole numbers, so that adding and taking back is exact."""

    views = models.BigIntegerField(default=0)
    viewers = models.BigIntegerField(default=0, help_text="Who watched for the first time.")
    completions = models.BigIntegerField(default=0, help_text="Who completed for the first time.")
    watched_ms = models.BigIntegerField(default=0)
    coverage_permille_sum = models.BigIntegerField(default=0)
    coverage_count = models.BigIntegerField(default=0, help_text="Views of a video whose length was known.")
    cta_clicks = models.BigIntegerField(default=0)
    likes = models.BigIntegerField(default=0)
    shares = models.BigIntegerField(default=0)
    startup_ms_sum = models.BigIntegerField(default=0)
    startup_count = models.BigIntegerField(default=0)
    stall_ms_sum = models.BigIntegerField(default=0)
    stall_count = models.BigIntegerField(default=0)
    error_count = models.BigIntegerField(default=0)

    class Meta:
        abstract = True


class VideoFigures(Counters):
    """The totals of one video."""

    video = models.OneToOneField(Video, primary_key=True, on_delete=models.CASCADE, related_name="figures")
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name_plural = "video figures"
        indexes = [models.Index(fields=["-views"], name="figures_by_views")]

    def __str__(self) -> str:
        return f"{self.video_id}: {self.views} views"


class VideoDay(Counters):
    """One video on one UTC day; a view belongs to the day on which its session began."""

    video = models.ForeignKey(Video, on_delete=models.CASCADE, related_name="days")
    day = models.DateField()

    class Meta:
        ordering = ["-day"]
        constraints = [models.UniqueConstraint(fields=["video", "day"], name="video_day_once")]
        indexes = [models.Index(fields=["day"], name="video_day_by_day")]

    def __str__(self) -> str:
        return f"{self.video_id} on {self.day}: {self.views} views"


class AssetRetention(models.Model):
    """How often each second of a copy was played: little-endian unsigned 32-bit numbers, replays counted."""

    asset = models.OneToOneField(Asset, primary_key=True, on_delete=models.CASCADE, related_name="retention")
    counts = models.BinaryField(default=bytes)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name_plural = "asset retention"

    def __str__(self) -> str:
        return f"{self.asset_id}: {len(self.counts) // 4} s"
