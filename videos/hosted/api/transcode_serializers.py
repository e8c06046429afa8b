from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from videos.hosted.models import Transcode, TranscodeKind, TranscodeState
from videos.hosted.services.transcoding.choices import failure_code_of, words_of
from videos.models import Protection, Quality
from videos.providers.failures import reason_of


class RenditionSerializer(serializers.Serializer[Any]):
    """One quality that can be played; `bandwidth` in bits per second, sizes in pixels, null for sound alone."""

    name = serializers.CharField()
    height = serializers.IntegerField(allow_null=True, default=None)
    width = serializers.IntegerField(allow_null=True, default=None)
    bandwidth = serializers.IntegerField(allow_null=True, default=None)


class TranscodeSerializer(serializers.ModelSerializer[Transcode]):
    """A job that makes a video playable. `step` says in words what is done now, `failure_reason` why it failed.

    `waits_for` is `tools_missing` while a job can only wait for this server's video tools.
    """

    id = serializers.UUIDField(source="public_id")
    kind = serializers.ChoiceField(choices=TranscodeKind.choices)
    state = serializers.ChoiceField(choices=TranscodeState.choices)
    step = serializers.SerializerMethodField()
    quality = serializers.ChoiceField(source="preset", choices=Quality.choices)
    renditions = serializers.SerializerMethodField()
    failure_code = serializers.SerializerMethodField()
    failure_reason = serializers.SerializerMethodField()
    waits_for = serializers.SerializerMethodField()

    class Meta:
        model = Transcode
        fields = [
            "id",
            "kind",
            "state",
            "step",
            "progress_percent",
            "quality",
            "renditions",
            "failure_code",
            "failure_reason",
            "waits_for",
            "created_at",
            "started_at",
            "finished_at",
        ]
        read_only_fields = fields

    def get_step(self, transcode: Transcode) -> str:
        return words_of(transcode, transcode.running_steps)  # type: ignore[attr-defined]

    @extend_schema_field(RenditionSerializer(many=True))
    def get_renditions(self, transcode: Transcode) -> list[Any]:
        rows = [row for package in transcode.made[:1] for row in package.renditions]  # type: ignore[attr-defined]
        return [RenditionSerializer(row).data for row in rows]

    def get_failure_code(self, transcode: Transcode) -> str:
        return failure_code_of(transcode)

    def get_failure_reason(self, transcode: Transcode) -> str:
        code = failure_code_of(transcode)
        return reason_of(code) if code else ""

    def get_waits_for(self, transcode: Transcode) -> str:
        return "" if transcode.finished_at else transcode.failure_code


class MonitoredTranscodeSerializer(TranscodeSerializer):
    """The same for those who run the platform: whose it is, and what the tools said (`failure_detail`)."""

    video_id = serializers.SerializerMethodField()
    title = serializers.CharField(source="video.title")

    class Meta(TranscodeSerializer.Meta):
        fields = ["video_id", "title", *TranscodeSerializer.Meta.fields, "failure_detail"]
        read_only_fields = fields

    def get_video_id(self, transcode: Transcode) -> UUID | None:
        ids: dict[str, UUID] = self.context.get("video_ids", {})
        return ids.get(transcode.video.host_id)


class TranscodeFilterSerializer(serializers.Serializer[Any]):
    state = serializers.ChoiceField(choices=TranscodeState.choices, required=False)


class TranscodeRequestSerializer(serializers.Serializer[Any]):
    """What is to be different; what is left out stays as it is, empty is what our host usually gives."""

    quality = serializers.ChoiceField(choices=Quality.choices, required=False, allow_blank=True)
    protection = serializers.ChoiceField(choices=Protection.choices, required=False, allow_blank=True)
