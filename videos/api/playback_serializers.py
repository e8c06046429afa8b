from typing import Any

from rest_framework import serializers

from videos.models import Protection


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
