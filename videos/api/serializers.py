from typing import Any

from rest_framework import serializers

from videos.models import AccessLevel, AssetStatus, Protection, Video


class VideoSerializer(serializers.ModelSerializer):
    """A video and its current copy. `duration` in seconds, `size` in bytes."""

    status = serializers.SerializerMethodField()
    provider = serializers.SerializerMethodField()
    video_service_id = serializers.SerializerMethodField()
    duration = serializers.SerializerMethodField()
    size = serializers.SerializerMethodField()
    poster_url = serializers.SerializerMethodField()

    class Meta:
        model = Video
        fields = [
            "id",
            "title",
            "status",
            "access_level",
            "required_tier",
            "protection",
            "provider",
            "video_service_id",
            "duration",
            "size",
            "poster_url",
            "created_at",
            "updated_at",
        ]
        read_only_fields = ["id", "created_at", "updated_at"]

    def get_status(self, video: Video) -> AssetStatus | None:
        asset = video.get_current_asset()
        return AssetStatus(asset.status) if asset else None

    def get_provider(self, video: Video) -> str:
        return _of(video, "provider", "")

    def get_video_service_id(self, video: Video) -> str:
        return _of(video, "host_id", "")

    def get_duration(self, video: Video) -> float | None:
        return _of(video, "duration_s", None)

    def get_size(self, video: Video) -> int | None:
        return _of(video, "size_bytes", None)

    def get_poster_url(self, video: Video) -> str:
        return _of(video, "poster_url", "")


def _of(video: Video, name: str, default: Any) -> Any:
    asset = video.get_current_asset()
    return getattr(asset, name) if asset else default


class VideoCreateSerializer(serializers.Serializer):
    """What is known of a file before its first byte; `size` in bytes."""

    title = serializers.CharField(max_length=200)
    filename = serializers.CharField(max_length=255)
    size = serializers.IntegerField(min_value=1, max_value=2**50)
    content_type = serializers.CharField(max_length=100, default="", allow_blank=True)
    provider = serializers.CharField(max_length=64, default="", allow_blank=True)
    protection = serializers.ChoiceField(choices=Protection.choices, default="", allow_blank=True)
    access_level = serializers.ChoiceField(choices=AccessLevel.choices, default=AccessLevel.ENTITLED)
    required_tier = serializers.CharField(max_length=32, default="", allow_blank=True)


class UploadTicketSerializer(serializers.Serializer):
    """Send `fields` in their order as multipart/form-data to `url`, then the file as `file_field`, last."""

    kind = serializers.CharField()
    url = serializers.CharField(required=False)
    fields = serializers.DictField(child=serializers.CharField(), required=False)  # type: ignore[assignment]
    file_field = serializers.CharField(required=False)
    expires_at = serializers.DateTimeField(required=False)


class VideoCreatedSerializer(serializers.Serializer):
    video = VideoSerializer()
    upload = UploadTicketSerializer()


class VideoStatusSerializer(serializers.Serializer):
    """The current copy, as far as we were told; `host_status` is the host's own word, `duration` in seconds.

    `status` is null for a video without a copy.
    """

    id = serializers.UUIDField()
    status = serializers.ChoiceField(choices=AssetStatus.choices, allow_null=True)
    host_status = serializers.CharField()
    failure_reason = serializers.CharField()
    duration = serializers.FloatField(allow_null=True)
    ready_at = serializers.DateTimeField(allow_null=True)
    next_check_at = serializers.DateTimeField(allow_null=True)

    def to_representation(self, video: Video) -> dict[str, Any]:
        values = {
            "id": video.pk,
            "status": _of(video, "status", None),
            "host_status": _of(video, "host_status", ""),
            "failure_reason": _of(video, "failure_reason", ""),
            "duration": _of(video, "duration_s", None),
            "ready_at": _of(video, "ready_at", None),
            "next_check_at": _of(video, "next_poll_at", None),
        }
        return super().to_representation(values)
