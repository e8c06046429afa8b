import uuid
from datetime import datetime
from typing import Any, cast

from django.conf import settings
from django.db import connections, models, router
from django.db.models import Q
from django.db.transaction import TransactionManagementError
from django.utils import timezone

from videos import sql
from videos.models.asset import Asset
from videos.models.video import Video


class ViewerQuerySet(models.QuerySet["Viewer"]):
    def lock(self, *, user_id: Any, device_key: str, resume_of: uuid.UUID | None) -> "Viewer | None":
        """The locked row of a user, or of a device when `user_id` is None; needs a transaction.

        Carries `resume_position_s` and `resume_duration_ms`: where the viewer stands in the video `resume_of`, and how
        long that video was then; None without progress.
        """
        connection = connections[router.db_for_write(Viewer)]
        video_id = Video._meta.pk.get_db_prep_value(resume_of, connection)
        owner = Viewer.user.field.get_db_prep_value(user_id, connection)
        column, value = ("device_key", device_key) if user_id is None else ("user_id", owner)
        statement = sql.LOCKED_VIEWER.format(key=column, lock=_row_lock(connection, "videos_viewer"))
        for viewer in self.using(connection.alias).raw(statement, [video_id, value]):
            return cast(Viewer, viewer)
        return None


def _row_lock(connection: Any, table: str) -> str:
    if not connection.features.has_select_for_update:
        return ""
    if connection.get_autocommit():
        raise TransactionManagementError("A row is locked inside a transaction.")
    no_key = connection.features.has_select_for_no_key_update
    lock: str = connection.ops.for_update_sql(no_key=no_key, of=(table,))
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


class VideoProgress(models.Model):
    """What one viewer has seen of one video, over all sessions and devices.

    `played` holds the distinct stretches seen, `[[from, to], …]` in ms; they refer to a video of `duration_ms`, so
    that they can be scaled when a copy of another length takes its place.
    """

    viewer = models.ForeignKey(Viewer, on_delete=models.CASCADE, related_name="progress")
    video = models.ForeignKey(Video, on_delete=models.CASCADE, related_name="progress")
    played = models.JSONField(default=list)
    covered_ms = models.PositiveBigIntegerField(default=0)
    duration_ms = models.PositiveBigIntegerField(null=True)
    position_s = models.FloatField(default=0)
    is_counted = models.BooleanField(default=True, help_text="Instructors and staff are not counted.")
    version = models.PositiveBigIntegerField(default=0)
    first_played_at = models.DateTimeField(default=timezone.now)
    last_played_at = models.DateTimeField(default=timezone.now)
    completed_at = models.DateTimeField(null=True)
    liked_at = models.DateTimeField(null=True)
    is_viewer_tallied = models.BooleanField(default=False)
    is_completion_tallied = models.BooleanField(default=False)
    like_tallied_at = models.DateTimeField(null=True, help_text="The time of the like that the figures hold.")

    class Meta:
        ordering = ["-last_played_at", "-id"]
        verbose_name_plural = "video progress"
        constraints = [
            models.UniqueConstraint(fields=["viewer", "video"], name="progress_once_per_viewer_and_video"),
            models.CheckConstraint(condition=Q(position_s__gte=0), name="progress_position_not_negative"),
        ]
        indexes = [models.Index(fields=["viewer", "-last_played_at"], name="progress_continue")]

    def __str__(self) -> str:
        return f"{self.viewer_id} of {self.video_id}"

    @property
    def coverage(self) -> float | None:
        """Share of the video's distinct seconds seen, 0 to 1; None while its length is unknown."""
        return min(self.covered_ms / self.duration_ms, 1.0) if self.duration_ms else None


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

    def to_use(self, public_id: uuid.UUID) -> "PlaybackSession | None":
        """The session of this id, with what a player's requests beside its heartbeats need."""
        connection = connections[router.db_for_write(PlaybackSession)]
        key = PlaybackSession._meta.get_field("public_id").get_db_prep_value(public_id, connection)
        for session in self.using(connection.alias).raw(sql.SESSION_TO_USE, [key]):
            return cast(PlaybackSession, session)
        return None

    def to_beat(self, public_id: uuid.UUID) -> "PlaybackSession | None":
        """The locked session of this id, with what its heartbeat needs; needs a transaction.

        Carries `asset_duration_s` and `asset_is_current`, and `known_…`, its viewer's progress in its video.
        """
        connection = connections[router.db_for_write(PlaybackSession)]
        key = PlaybackSession._meta.get_field("public_id").get_db_prep_value(public_id, connection)
        statement = sql.SESSION_TO_BEAT.format(lock=_row_lock(connection, "s"))
        for session in self.using(connection.alias).raw(statement, [key]):
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
    progress = models.ForeignKey(VideoProgress, null=True, on_delete=models.SET_NULL, related_name="sessions")
    played = models.JSONField(default=list, help_text="Stretches seen, [[from, to, times], …] in ms.")
    seen_seqs = models.JSONField(default=list, help_text="Heartbeats that were counted, [[first, last], …].")
    watched_ms = models.PositiveBigIntegerField(default=0, help_text="Time played, replays included.")
    covered_ms = models.PositiveBigIntegerField(default=0, help_text="Distinct time seen.")
    startup_ms = models.PositiveIntegerField(null=True, blank=True)
    stall_count = models.PositiveIntegerField(default=0)
    stall_ms = models.PositiveBigIntegerField(default=0)
    bitrate_kbps = models.PositiveIntegerField(null=True, blank=True)
    error_count = models.PositiveIntegerField(default=0)
    rollup_due_at = models.DateTimeField(null=True, blank=True)
    rolled_up = models.JSONField(null=True, blank=True, help_text="What of this session the figures hold already.")
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
            models.Index(fields=["rollup_due_at"], name="session_rollup_due", condition=Q(rollup_due_at__isnull=False)),
            models.Index(
                fields=["created_at"],
                name="session_address_kept",
                condition=Q(ip__isnull=False) | ~Q(user_agent=""),
            ),
        ]

    def __str__(self) -> str:
        return str(self.public_id)


class EngagementKind(models.TextChoices):
    CTA_CLICK = "cta_click", "call to action clicked"
    LIKE = "like", "liked"
    UNLIKE = "unlike", "like taken back"
    SHARE = "share", "shared"


class EngagementEvent(models.Model):
    """Something a viewer did beside watching; a repeated heartbeat (`seq`) counts its events once."""

    session = models.ForeignKey(PlaybackSession, on_delete=models.CASCADE, related_name="events")
    seq = models.BigIntegerField()
    number = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=16, choices=EngagementKind)
    position_s = models.FloatField(default=0)
    target = models.CharField(max_length=200, blank=True, help_text="What was clicked, or where it was shared.")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["session", "seq", "number"], name="engagement_once"),
            models.CheckConstraint(condition=Q(kind__in=EngagementKind.values), name="engagement_kind_known"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} in {self.session_id}"
