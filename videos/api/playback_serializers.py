from datetime import datetime
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from videos.devices import device_name
from videos.models import EngagementKind, PlaybackSession, Protection
from videos.services.progress import seen_in
from videos.services.reports import EVENTS_MAX, MAX_SEQ, PLAYED_MAX, QUALITY_MAX
from videos.services.streams import last_seen_at
from videos.services.tokens import end_token


class PlaybackRequestSerializer(serializers.Serializer):
    """`device_id` is chosen by the browser once and kept: a reload on the same device takes its own stream back."""

    device_id = serializers.RegexField(r"^[A-Za-z0-9_-]{8,64}$")
    end = serializers.UUIDField(
        required=False, allow_null=True, default=None, help_text="A session of mine that is ended first: start here."
    )


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


class DrmSystemSerializer(serializers.Serializer):
    license_url = serializers.CharField(help_text="Where a player of this key system posts its request.")


class DrmSerializer(serializers.Serializer):
    """Empty for what is not encrypted. `token` is a bearer for the first licence, within two minutes; later ones take
    the session's token."""

    scheme = serializers.ChoiceField(choices=["cbcs", "aes128"], required=False)
    token = serializers.CharField(required=False)
    systems = serializers.DictField(child=DrmSystemSerializer(), required=False, help_text="By name of the key system.")


class HlsPlayerSerializer(serializers.Serializer):
    """HLS for Safari, DASH (empty where there is none) for the others; `sprite_url` is WebVTT, empty for none."""

    url = serializers.CharField()
    dash_url = serializers.CharField()
    drm = DrmSerializer()
    sprite_url = serializers.CharField()
    watermark = serializers.CharField(help_text="Text that the player lays over the picture; empty for none.")


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
    hls = HlsPlayerSerializer(required=False)
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


class _AsSentField(serializers.Field):
    """Read by the service, whose checks are one pass over the plain values."""

    def to_internal_value(self, data: Any) -> Any:
        return data

    def to_representation(self, value: Any) -> Any:
        return value


@extend_schema_field(
    {
        "type": "array",
        "maxItems": PLAYED_MAX,
        "items": {"type": "array", "minItems": 2, "maxItems": 2, "items": {"type": "number"}},
    }
)
class PlayedField(_AsSentField):
    """Pairs of seconds, `[from, to]`."""


@extend_schema_field(
    {
        "type": "object",
        "properties": {name: {"type": "integer", "minimum": 0} for name in QUALITY_MAX},
    }
)
class QualityField(_AsSentField):
    """Counters since the session began."""


@extend_schema_field(
    {
        "type": "array",
        "maxItems": EVENTS_MAX,
        "items": {
            "type": "object",
            "properties": {
                "kind": {"type": "string", "enum": EngagementKind.values},
                "position": {"type": "number"},
                "target": {"type": "string"},
            },
            "required": ["kind"],
        },
    }
)
class EventsField(_AsSentField):
    """What the viewer did: `{kind, position?, target?}`."""


class HeartbeatRequestSerializer(serializers.Serializer):
    """`seq` grows with every heartbeat, and counts once; `position` in seconds. `token` may come as bearer instead.

    `played` are the stretches since the last report, in seconds, replays included; `qoe` counts up from the start.
    """

    token = serializers.CharField(max_length=500, required=False)
    seq = serializers.IntegerField(min_value=0, max_value=MAX_SEQ)
    position = PositionField(min_value=0)
    played = PlayedField(required=False, allow_null=True)
    qoe = QualityField(required=False, allow_null=True)
    events = EventsField(required=False, allow_null=True)


class LeaseSerializer(serializers.Serializer):
    expires_at = serializers.DateTimeField(allow_null=True)


class HeartbeatSerializer(serializers.Serializer):
    """`coverage` is the share of the video that was seen, over all sessions; null while its length is unknown."""

    lease = LeaseSerializer()
    position = serializers.FloatField()
    coverage = serializers.FloatField(allow_null=True)
    completed = serializers.BooleanField()
    ended = serializers.BooleanField(help_text="The session is over: stop the player.")


class EndRequestSerializer(serializers.Serializer):
    """The session's token, or an `end_token`; may come as bearer instead. Without one: the signed-in viewer's own.

    With `position` or `played` a player reports for the last time, as in a heartbeat; an `end_token` reports nothing.
    """

    token = serializers.CharField(max_length=500, required=False)
    seq = serializers.IntegerField(min_value=0, max_value=MAX_SEQ, required=False)
    position = PositionField(min_value=0, required=False)
    played = PlayedField(required=False, allow_null=True)
    qoe = QualityField(required=False, allow_null=True)
    events = EventsField(required=False, allow_null=True)


class RunningSessionSerializer(serializers.Serializer):
    """A viewing that is going on; `end_token` ends it. `last_seen_at` is its last heartbeat, or its start."""

    id = serializers.UUIDField(source="public_id")
    video_id = serializers.UUIDField()
    video_title = serializers.CharField(source="video.title")
    device = serializers.SerializerMethodField(help_text="Such as `Chrome on Windows`.")
    is_this_device = serializers.SerializerMethodField(help_text="Whether `?device_id=` names its device.")
    is_playing = serializers.SerializerMethodField(help_text="Whether it holds one of the concurrent streams.")
    started_at = serializers.DateTimeField(source="created_at")
    last_seen_at = serializers.SerializerMethodField()
    end_token = serializers.SerializerMethodField()

    def get_device(self, session: PlaybackSession) -> str:
        return device_name(session.user_agent)

    def get_is_this_device(self, session: PlaybackSession) -> bool:
        return session.device_id == self.context["device_id"]

    def get_is_playing(self, session: PlaybackSession) -> bool:
        return session.lease_expires_at is not None

    def get_last_seen_at(self, session: PlaybackSession) -> datetime:
        return last_seen_at(session)

    def get_end_token(self, session: PlaybackSession) -> str:
        return end_token(session.public_id)


class ProgressSerializer(serializers.Serializer):
    """Seconds; `coverage` is the share seen, null while the length is unknown. `missing` are pairs `[from, to]`."""

    video_id = serializers.UUIDField()
    position = serializers.FloatField(source="position_s")
    duration = serializers.FloatField(source="duration_s", allow_null=True)
    coverage = serializers.FloatField(allow_null=True)
    completed = serializers.BooleanField()
    completed_at = serializers.DateTimeField(allow_null=True)
    liked = serializers.BooleanField()
    last_played_at = serializers.DateTimeField(allow_null=True)
    missing = serializers.ListField(child=serializers.ListField(child=serializers.FloatField()))


class ListedProgressSerializer(ProgressSerializer):
    """As of one video, with its title."""

    video_title = serializers.CharField()
    missing = None  # type: ignore[assignment]

    def to_representation(self, row: Any) -> dict[str, Any]:
        return super().to_representation(seen_in(row, row.length_s))
