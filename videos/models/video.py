import uuid
from typing import cast

from django.conf import settings
from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.db import connections, models
from django.db.models import Exists, F, FilteredRelation, OuterRef, Q
from django.db.models.functions import Lower

from videos import sql
from videos.models.asset import Asset, AssetStatus, Protection


class AccessLevel(models.TextChoices):
    PUBLIC = "public"
    UNLISTED = "unlisted"
    MEMBERS = "members"
    TIER = "tier"
    ENTITLED = "entitled"


class Quality(models.TextChoices):
    """How much is spent on the picture, where the host asks."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Tag(models.Model):
    """A word that videos are found and routed by; lower case."""

    name = models.SlugField(max_length=50, unique=True)

    class Meta:
        ordering = ["name"]
        constraints = [models.CheckConstraint(condition=Q(name=Lower("name")), name="tag_lower_case")]

    def __str__(self) -> str:
        return self.name


_CURRENT: str = "current_asset"
_CURRENT_ID: str = "current_asset_id"


class VideoQuerySet(models.QuerySet["Video"]):
    def with_current_asset(self) -> "VideoQuerySet":
        """Fetch each video's current asset in the same statement."""
        current = FilteredRelation("assets", condition=Q(assets__is_current=True))
        return self.annotate(**{_CURRENT: current, _CURRENT_ID: F(f"{_CURRENT}__id")}).select_related(_CURRENT)

    def to_play(self, video_id: uuid.UUID) -> "Video | None":
        """The video of this id, with what playing it needs of its current asset, in one lean statement."""
        key = Video._meta.pk.get_db_prep_value(video_id, connections[self.db])
        for video in self.raw(sql.VIDEO_TO_PLAY, [key]):
            columns = vars(video)
            columns[_CURRENT_ID] = columns["asset_id"]
            if columns["asset_id"] is not None:
                values = [columns[f"asset_{name}"] for name in sql.PLAYED_COLUMNS]
                columns[_CURRENT] = Asset.from_db(self.db, sql.PLAYED_COLUMNS, values)
            return cast(Video, video)
        return None

    def with_status(self, status: str) -> "VideoQuerySet":
        """Those whose current asset has this status."""
        return self.filter(assets__is_current=True, assets__status=status)

    def not_deleted(self) -> "VideoQuerySet":
        deleted = Asset.objects.filter(video=OuterRef("pk"), is_current=True, status=AssetStatus.DELETED)
        return self.filter(~Exists(deleted))


class Video(models.Model):
    """The lasting thing that a lesson points to; its copies at hosts are `Asset` rows, of which one is current."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    title = models.CharField(max_length=200)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="owned_videos"
    )
    access_level = models.CharField(max_length=16, choices=AccessLevel, default=AccessLevel.ENTITLED)
    required_tier = models.CharField(max_length=32, blank=True)
    protection = models.CharField(
        max_length=16,
        choices=Protection,
        blank=True,
        help_text="Wanted protection; empty: decided by what the video is for.",
    )
    quality = models.CharField(
        max_length=16,
        choices=Quality,
        blank=True,
        help_text="Wanted quality, where the host asks; empty: the host's default.",
    )
    tags = models.ManyToManyField(Tag, blank=True, related_name="videos")
    metadata = models.JSONField(default=dict, blank=True, help_text="Whatever the host project keeps with a video.")
    subject_type = models.ForeignKey(ContentType, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    subject_id = models.CharField(max_length=64, blank=True, help_text="Key of the object that this video belongs to.")
    subject = GenericForeignKey("subject_type", "subject_id")
    caption_tracks = models.JSONField(
        default=list,
        blank=True,
        editable=False,
        help_text="Languages and labels of the captions.",
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = VideoQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "id"]
        indexes = [models.Index(fields=["subject_type", "subject_id"], name="video_by_subject")]
        constraints = [
            models.CheckConstraint(
                condition=~Q(access_level="tier") | ~Q(required_tier=""), name="video_tier_level_names_a_tier"
            )
        ]
        permissions = [("manage_all_videos", "Can see and change the videos of everybody")]

    def __str__(self) -> str:
        return self.title

    def get_current_asset(self) -> "Asset | None":
        """The asset that is played; costs a query unless the video was fetched `with_current_asset`."""
        if _CURRENT_ID not in self.__dict__:
            return self.assets.filter(is_current=True).first()
        # Django sets the related object of a filtered relation only where there is one.
        fetched: Asset | None = self.__dict__.get(_CURRENT)
        return fetched
