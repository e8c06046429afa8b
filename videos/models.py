import uuid
from datetime import datetime
from typing import Any, cast

from django.conf import settings
from django.db import connections, models, router
from django.db.models import Exists, F, FilteredRelation, OuterRef, Q
from django.db.transaction import TransactionManagementError
from django.utils import timezone

from videos import sql


class AccessLevel(models.TextChoices):
    PUBLIC = "public"
    UNLISTED = "unlisted"
    MEMBERS = "members"
    TIER = "tier"
    ENTITLED = "entitled"


class Protection(models.TextChoices):
    OPEN = "open"
    ENCRYPTED = "encrypted"
    DRM = "drm"


class AssetStatus(models.TextChoices):
    WAITING = "waiting"
    PROCESSING = "processing"
    READY = "ready"
    FAILED = "failed"
    DELETED = "deleted"


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
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = VideoQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "id"]
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


class AssetQuerySet(models.QuerySet["Asset"]):
    def due_for_poll(self, now: datetime) -> "AssetQuerySet":
        return self.filter(next_poll_at__lte=now).order_by("next_poll_at")


class Asset(models.Model):
    """One copy of a video at one host. `host_status` is the host's own word, `raw` its last answer."""

    video = models.ForeignKey(Video, on_delete=models.CASCADE, related_name="assets")
    provider = models.CharField(max_length=64, help_text="Alias in VIDEO_PROVIDERS.")
    host_id = models.CharField(max_length=255)
    is_current = models.BooleanField(default=True)
    status = models.CharField(max_length=16, choices=AssetStatus, default=AssetStatus.WAITING)
    host_status = models.CharField(max_length=64, blank=True)
    failure_reason = models.CharField(max_length=255, blank=True)
    protection = models.CharField(max_length=16, choices=Protection)
    duration_s = models.FloatField(null=True, blank=True)
    size_bytes = models.BigIntegerField(null=True, blank=True)
    poster_url = models.URLField(max_length=1000, blank=True)
    raw = models.JSONField(default=dict, blank=True)
    poll_attempts = models.PositiveSmallIntegerField(default=0)
    next_poll_at = models.DateTimeField(
        null=True, blank=True, default=timezone.now, help_text="When the host is asked again; empty: no longer."
    )
    created_at = models.DateTimeField(auto_now_add=True)
    ready_at = models.DateTimeField(null=True, blank=True)

    objects = AssetQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["provider", "host_id"], name="asset_once_per_host"),
            models.UniqueConstraint(fields=["video"], condition=Q(is_current=True), name="asset_one_current_per_video"),
            models.CheckConstraint(condition=Q(status__in=AssetStatus.values), name="asset_status_known"),
        ]
        indexes = [
            models.Index(fields=["next_poll_at"], name="asset_poll_due", condition=Q(next_poll_at__isnull=False))
        ]

    def __str__(self) -> str:
        return f"{self.provider}:{self.host_id}"


class ViewerQuerySet(models.QuerySet["Viewer"]):
    def lock(self, *, user_id: Any, device_key: str, resume_of: uuid.UUID | None) -> "Viewer | None":
        """The locked row of a user, or of a device when `user_id` is None; needs a transaction.

        Carries `resume_position_s`: where the last viewing of the video `resume_of` stands, None without one.
        """
        connection = connections[router.db_for_write(Viewer)]
        video_id = Video._meta.pk.get_db_prep_value(resume_of, connection)
        owner = Viewer.user.field.get_db_prep_value(user_id, connection)
        column, value = ("device_key", device_key) if user_id is None else ("user_id", owner)
        statement = sql.LOCKED_VIEWER.format(key=column, lock=_row_lock(connection))
        for viewer in self.using(connection.alias).raw(statement, [video_id, value]):
            return cast(Viewer, viewer)
        return None


def _row_lock(connection: Any) -> str:
    if not connection.features.has_select_for_update:
        return ""
    if connection.get_autocommit():
        raise TransactionManagementError("A viewer's row is locked inside a transaction.")
    lock: str = connection.ops.for_update_sql(no_key=connection.features.has_select_for_no_key_update)
    return lock


class Viewer(models.Model):
    """Whoever watches: a user, or an anonymous device with a signed id. The row that a lease is claimed under."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="video_viewer"
    )
    device_key = models.CharField(max_length=64, null=True, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ViewerQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(user__isnull=False, device_key=None) | Q(user=None, device_key__isnull=False),
                name="viewer_is_user_or_device",
            )
        ]

    def __str__(self) -> str:
        return f"user {self.user_id}" if self.user_id else "anonymous device"


class SessionState(models.TextChoices):
    ISSUING = "issuing", "waiting for the host"
    ISSUED = "issued", "granted"
    ENDED = "ended", "ended"
    REVOKED = "revoked", "revoked"
    FAILED = "failed", "host failed"


class SessionDoor(models.TextChoices):
    LESSON = "lesson"
    PLAYBACK = "playback"


class PlaybackSessionQuerySet(models.QuerySet["PlaybackSession"]):
    def live(self) -> "PlaybackSessionQuerySet":
        return self.filter(state__in=[SessionState.ISSUING, SessionState.ISSUED])

    def leased(self, now: datetime) -> "PlaybackSessionQuerySet":
        return self.live().filter(lease_expires_at__gt=now)

    def live_of(self, viewer: Viewer) -> "list[PlaybackSession]":
        """The live sessions of one viewer, oldest first."""
        return list(self.using(viewer._state.db).raw(sql.LIVE_SESSIONS, [viewer.pk]))

    def to_beat(self, public_id: uuid.UUID) -> "PlaybackSession | None":
        """The session of this id, with what its heartbeat needs."""
        key = PlaybackSession._meta.get_field("public_id").get_db_prep_value(public_id, connections[self.db])
        for session in self.raw(sql.SESSION_TO_BEAT, [key]):
            return cast(PlaybackSession, session)
        return None


class PlaybackSession(models.Model):
    """One viewing by one viewer on one device: the record of the grant, then position and lease.

    A session holds one of its viewer's concurrent streams while `lease_expires_at` is in the future.
    """

    public_id = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    viewer = models.ForeignKey(Viewer, on_delete=models.CASCADE, related_name="sessions")
    video = models.ForeignKey(Video, on_delete=models.CASCADE, related_name="sessions")
    asset = models.ForeignKey(Asset, null=True, on_delete=models.SET_NULL, related_name="sessions")
    device_id = models.CharField(max_length=64)
    door = models.CharField(max_length=16, choices=SessionDoor)
    state = models.CharField(max_length=16, choices=SessionState, default=SessionState.ISSUING)
    end_reason = models.CharField(max_length=64, blank=True)
    is_counted = models.BooleanField(default=True, help_text="Instructors and staff are not counted.")
    max_streams = models.PositiveSmallIntegerField(default=3)
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(help_text="End of the credential, as far as it is known.")
    lease_expires_at = models.DateTimeField(null=True, blank=True)
    played_at = models.DateTimeField(null=True, blank=True, help_text="First heartbeat with something played.")
    ended_at = models.DateTimeField(null=True, blank=True)
    last_seq = models.BigIntegerField(default=-1)
    position_s = models.FloatField(default=0)
    ip = models.GenericIPAddressField(null=True, blank=True)
    user_agent = models.CharField(max_length=255, blank=True)

    objects = PlaybackSessionQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=SessionState.values), name="session_state_known"),
            models.CheckConstraint(condition=Q(position_s__gte=0), name="session_position_not_negative"),
        ]
        indexes = [
            models.Index(
                fields=["viewer", "state"],
                name="session_live_per_viewer",
                condition=Q(state__in=["issuing", "issued"]),
            ),
            models.Index(fields=["viewer", "video", "-id"], name="session_resume"),
            models.Index(fields=["video", "-created_at"], name="session_by_video"),
        ]

    def __str__(self) -> str:
        return str(self.public_id)
