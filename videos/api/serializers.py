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


class PlaybackRequestSerializer(serializers.Serializer):
    """`device_id` is chosen by the browser once and kept: a reload on the same device takes its own stream back."""

    device_id = serializers.RegexField(r"^[A-Za-z0-9_-]{8,64}$")


class OtpRequestSerializer(serializers.Serializer):
    device_id = serializers.RegexField(r"^[A-Za-z0-9_-]{8,64}$", required=False, default="")


class GrantSessionSerializer(serializers.Serializer):
    id = serializers.UUIDField()
    token = serializers.CharField()
    heartbeat_url = serializers.CharField()
    heartbeat_seconds = serializers.IntegerField()
    lease_expires_at = serializers.DateTimeField(allow_null=True)


class VdoCipherPlayerSerializer(serializers.Serializer):
    otp = serializers.CharField()
    playbackInfo = serializers.CharField()
    embed_url = serializers.CharField()


class AddressPlayerSerializer(serializers.Serializer):
    url = serializers.CharField()


class IframePlayerSerializer(serializers.Serializer):
    url = serializers.CharField()
    api = serializers.CharField(help_text="JavaScript interface: `cloudflare-stream`, `playerjs` or empty.")
    api_url = serializers.CharField(help_text="The script that offers it.")
    allow = serializers.CharField(help_text="For the iframe's attribute of that name.")


class CaptionTrackSerializer(serializers.Serializer):
    language = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    url = serializers.CharField()


class GrantSerializer(serializers.Serializer):
    """`player` names the one member that is there. Positions and durations in seconds."""

    session = GrantSessionSerializer()
    player = serializers.ChoiceField(choices=["vdocipher", "hls", "iframe", "file"])
    vdocipher = VdoCipherPlayerSerializer(required=False)
    hls = AddressPlayerSerializer(required=False)
    iframe = IframePlayerSerializer(required=False)
    file = AddressPlayerSerializer(required=False)
    expires_at = serializers.DateTimeField()
    resume_position = serializers.FloatField()
    duration = serializers.FloatField(allow_null=True)
    captions = CaptionTrackSerializer(many=True)
    poster_url = serializers.CharField()
    protection = serializers.ChoiceField(choices=Protection.choices)


class OtpSerializer(serializers.Serializer):
    otp = serializers.CharField()
    playbackInfo = serializers.CharField()
    session = GrantSessionSerializer()
    expires_at = serializers.DateTimeField()


class PositionField(serializers.FloatField):
    """Seconds from the start of the video; a number that no float can hold is refused like any other wrong one."""

    def to_internal_value(self, data: Any) -> float:
        try:
            return super().to_internal_value(data)
        except OverflowError:
            self.fail("invalid")


class HeartbeatRequestSerializer(serializers.Serializer):
    """`seq` grows with every heartbeat; `position` in seconds. `token` may come as bearer instead."""

    token = serializers.CharField(max_length=500, required=False)
    seq = serializers.IntegerField(min_value=0, max_value=2**53)
    position = PositionField(min_value=0)


class LeaseSerializer(serializers.Serializer):
    expires_at = serializers.DateTimeField(allow_null=True)


class HeartbeatSerializer(serializers.Serializer):
    lease = LeaseSerializer()
    position = serializers.FloatField()
    ended = serializers.BooleanField()


class EndRequestSerializer(serializers.Serializer):
    """The session's token, or the `end_token` of a `too_many_streams` answer; may come as bearer instead.

    With `position` (and `seq`) a player reports for the last time, as in a heartbeat; an `end_token` reports nothing.
    """

    token = serializers.CharField(max_length=500, required=False)
    seq = serializers.IntegerField(min_value=0, max_value=2**53, required=False)
    position = PositionField(min_value=0, required=False)
