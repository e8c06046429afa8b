from typing import Any

from rest_framework import serializers

from videos.devices import device_name
from videos.models import PlaybackSession


class StatisticsRequestSerializer(serializers.Serializer):
    """UTC days, both included."""

    since = serializers.DateField(required=False)
    until = serializers.DateField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "since" in attrs and "until" in attrs and attrs["since"] > attrs["until"]:
            raise serializers.ValidationError({"until": "Not before since."}, code="invalid_span")
        return attrs


class TotalsSerializer(serializers.Serializer):
    """Durations in seconds unless named otherwise, percentages and rates from 0 to 100, null of nothing."""

    total_views = serializers.IntegerField(help_text="Viewings in which something was played.")
    unique_viewers = serializers.IntegerField(help_text="Of a span of days: who watched for the first time.")
    completions = serializers.IntegerField(help_text="Viewers who completed; each is counted once.")
    total_watch_time = serializers.FloatField(help_text="Replays included.")
    avg_watch_duration = serializers.FloatField(allow_null=True)
    avg_completion_percentage = serializers.FloatField(
        allow_null=True, help_text="Mean share of the distinct seconds seen in a view."
    )
    completion_rate = serializers.FloatField(allow_null=True, help_text="Share of viewers who completed.")
    cta_clicks = serializers.IntegerField()
    likes = serializers.IntegerField()
    shares = serializers.IntegerField()
    avg_startup_ms = serializers.FloatField(allow_null=True)
    stall_count = serializers.IntegerField()
    stall_ms = serializers.IntegerField()
    stall_percentage = serializers.FloatField(allow_null=True, help_text="Stalled, of all time spent.")
    error_count = serializers.IntegerField()


class DaySerializer(serializers.Serializer):
    day = serializers.DateField()
    total_views = serializers.IntegerField()
    unique_viewers = serializers.IntegerField(help_text="Who watched for the first time.")
    completions = serializers.IntegerField()
    cta_clicks = serializers.IntegerField()
    likes = serializers.IntegerField()
    shares = serializers.IntegerField()
    total_watch_time = serializers.FloatField()


class RetentionPointSerializer(serializers.Serializer):
    """How often the seconds from `second` on were played on average, and that per view."""

    second = serializers.IntegerField()
    plays = serializers.FloatField()
    share = serializers.FloatField(allow_null=True)


class StatisticsSerializer(TotalsSerializer):
    days = DaySerializer(many=True, help_text="Oldest first; without a span the last 90, else at most 366.")
    retention = RetentionPointSerializer(many=True, help_text="Of the current copy, of all time; at most 100 points.")
    updated_at = serializers.DateTimeField(allow_null=True, help_text="Viewings enter within about two minutes.")


class ViewSerializer(serializers.ModelSerializer):
    """One viewing. `watched` in seconds with replays, `position` in seconds, `coverage` from 0 to 1."""

    id = serializers.UUIDField(source="public_id")
    viewer = serializers.IntegerField(source="viewer_id")
    device = serializers.SerializerMethodField()
    watched = serializers.SerializerMethodField()
    coverage = serializers.SerializerMethodField()
    completed = serializers.SerializerMethodField()
    position = serializers.FloatField(source="position_s")

    class Meta:
        model = PlaybackSession
        fields = [
            *("id", "viewer", "device", "played_at", "ended_at", "watched", "coverage", "completed", "position"),
            *("startup_ms", "stall_count", "stall_ms", "bitrate_kbps", "error_count"),
        ]
        read_only_fields = fields

    def get_device(self, session: PlaybackSession) -> str:
        return device_name(session.user_agent)

    def get_watched(self, session: PlaybackSession) -> float:
        return session.watched_ms / 1000

    def get_coverage(self, session: PlaybackSession) -> float | None:
        """Of this viewing; null while the video's length is unknown."""
        duration_s = session.asset.duration_s if session.asset else None
        return round(min(session.covered_ms / 1000 / duration_s, 1), 4) if duration_s else None

    def get_completed(self, session: PlaybackSession) -> bool:
        """Whether the viewer has completed the video, in this viewing or another."""
        return session.progress is not None and session.progress.completed_at is not None


class TopVideoSerializer(serializers.Serializer):
    id = serializers.UUIDField()
    title = serializers.CharField()
    total_views = serializers.IntegerField()


class HostWorkloadSerializer(serializers.Serializer):
    """What a host of ours is at; today is the UTC day."""

    alias = serializers.CharField()
    jobs_waiting = serializers.IntegerField()
    jobs_running = serializers.IntegerField()
    jobs_completed_today = serializers.IntegerField()
    jobs_failed_today = serializers.IntegerField()
    licences_issued_today = serializers.IntegerField()
    licence_errors_today = serializers.IntegerField(help_text="Refused requests.")
    revoked_keys = serializers.IntegerField()


class MetricsSerializer(serializers.Serializer):
    """The whole platform, at most a minute old; days and months of UTC, percentages and rates from 0 to 100."""

    total_videos = serializers.IntegerField()
    videos_by_status = serializers.DictField(child=serializers.IntegerField())
    total_views_today = serializers.IntegerField()
    total_views_this_month = serializers.IntegerField()
    avg_completion_rate = serializers.FloatField(allow_null=True, help_text="Mean of the videos' own rates.")
    top_videos = TopVideoSerializer(many=True)
    upload_success_rate = serializers.FloatField(allow_null=True, help_text="Of the last 30 days.")
    processing_p50_s = serializers.FloatField(allow_null=True, help_text="Of the last 30 days.")
    processing_p90_s = serializers.FloatField(allow_null=True, help_text="Of the last 30 days.")
    avg_startup_ms = serializers.FloatField(allow_null=True, help_text="Of this month.")
    stall_percentage = serializers.FloatField(allow_null=True, help_text="Of this month: stalled, of all time spent.")
    error_count = serializers.IntegerField(help_text="Of this month.")
    refused_hooks_today = serializers.IntegerField()
    open_unusual_uses = serializers.IntegerField(help_text="Findings that nobody dismissed yet.")
    concurrent_streams = serializers.IntegerField(help_text="Played now.")
    hosts = HostWorkloadSerializer(many=True, help_text="Hosts that prepare and license videos on this platform.")


class ShareSerializer(serializers.Serializer):
    title = serializers.CharField()
    url = serializers.CharField()
    embed_html = serializers.CharField()
    is_public = serializers.BooleanField(help_text="False: unlisted, for those who have the address.")
