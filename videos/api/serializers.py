from typing import Any

from django.contrib.contenttypes.models import ContentType
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from videos.models import AccessLevel, Asset, AssetStatus, Protection, Quality, Video
from videos.services import addresses


class SubjectSerializer(serializers.Serializer):
    """The object that a video belongs to: `type` is `app_label.model`."""

    type = serializers.CharField()
    id = serializers.CharField()


class VideoSerializer(serializers.ModelSerializer):
    """A video and its current copy. `duration` in seconds, `size` in bytes."""

    status = serializers.SerializerMethodField()
    provider = serializers.SerializerMethodField()
    video_service_id = serializers.SerializerMethodField()
    duration = serializers.SerializerMethodField()
    size = serializers.SerializerMethodField()
    poster_url = serializers.SerializerMethodField()
    tags: Any = serializers.SlugRelatedField(slug_field="name", many=True, read_only=True)
    metadata = serializers.DictField(read_only=True)
    subject = serializers.SerializerMethodField()

    class Meta:
        model = Video
        fields = [
            "id",
            "title",
            "status",
            "access_level",
            "required_tier",
            "protection",
            "quality",
            "provider",
            "video_service_id",
            "duration",
            "size",
            "poster_url",
            "tags",
            "metadata",
            "subject",
            "created_at",
            "updated_at",
        ]
        read_only_fields = fields

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
        asset = video.get_current_asset()
        return addresses.poster_url(video, asset) if asset else ""

    @extend_schema_field(SubjectSerializer(allow_null=True))
    def get_subject(self, video: Video) -> dict[str, str] | None:
        if video.subject_type_id is None:
            return None
        subject_type = ContentType.objects.get_for_id(video.subject_type_id)
        return {"type": f"{subject_type.app_label}.{subject_type.model}", "id": str(video.subject_id)}


def _of(video: Video, name: str, default: Any) -> Any:
    asset = video.get_current_asset()
    return getattr(asset, name) if asset else default


class VideoFilterSerializer(serializers.Serializer):
    """What the list of videos can be narrowed to; `search` looks into titles, `subject` is `app_label.model:id`."""

    tag = serializers.CharField(required=False, max_length=50)
    status = serializers.ChoiceField(choices=AssetStatus.choices, required=False)
    search = serializers.CharField(required=False, max_length=200)
    subject = serializers.CharField(required=False, max_length=300)


class TagsField(serializers.ListField):
    """Words of a-z, 0-9, - and _."""

    child = serializers.CharField(max_length=50)


class VideoChangesSerializer(serializers.Serializer):
    """What can be changed of a video; `metadata` is any object of 16 KB at most."""

    title = serializers.CharField(max_length=200, required=False)
    access_level = serializers.ChoiceField(choices=AccessLevel.choices, required=False)
    required_tier = serializers.CharField(max_length=32, allow_blank=True, required=False)
    protection = serializers.ChoiceField(choices=Protection.choices, allow_blank=True, required=False)
    quality = serializers.ChoiceField(choices=Quality.choices, allow_blank=True, required=False)
    tags = TagsField(required=False)
    metadata = serializers.DictField(required=False)


class FileSerializer(serializers.Serializer):
    """What is known of a file before its first byte; `size` in bytes."""

    filename = serializers.CharField(max_length=1000)
    size = serializers.IntegerField(min_value=1, max_value=2**50)
    content_type = serializers.CharField(max_length=100, default="", allow_blank=True)
    provider = serializers.CharField(max_length=64, default="", allow_blank=True)


class VideoCreateSerializer(serializers.Serializer):
    """A video from a file (`filename` and `size` in bytes) or from a web address (`source_url`)."""

    title = serializers.CharField(max_length=200)
    filename = serializers.CharField(max_length=1000, required=False)
    size = serializers.IntegerField(min_value=1, max_value=2**50, required=False)
    content_type = serializers.CharField(max_length=100, default="", allow_blank=True)
    source_url = serializers.CharField(max_length=2000, required=False)
    provider = serializers.CharField(max_length=64, default="", allow_blank=True)
    protection = serializers.ChoiceField(choices=Protection.choices, default="", allow_blank=True)
    quality = serializers.ChoiceField(choices=Quality.choices, default="", allow_blank=True)
    access_level = serializers.ChoiceField(choices=AccessLevel.choices, default=AccessLevel.ENTITLED)
    required_tier = serializers.CharField(max_length=32, default="", allow_blank=True)
    tags = TagsField(default=list)
    metadata = serializers.DictField(default=dict)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        for name in ("filename", "size"):
            if "source_url" in attrs and name in attrs:
                raise serializers.ValidationError({name: "Give a file or a source_url, not both."}, code="ambiguous")
            if "source_url" not in attrs and name not in attrs:
                raise serializers.ValidationError({name: "This field is required."}, code="required")
        return attrs


class UploadTicketSerializer(serializers.Serializer):
    """How to send the file, by `kind`.

    `form_post`: send `fields` in their order as multipart/form-data to `url`, then the file as `file_field`, last.
    `tus`: tus 1.0.0 at `upload_url` (or created at `endpoint`), in chunks of `chunk_size` bytes. `put`: one PUT of the
    bytes to `url` with `headers`. `s3_multipart`: parts of `part_size` bytes, each to an address that `url`
    gives, or by an uploader that speaks to Uppy's Companion, at `companion_url`. `none`: nothing is to be sent.
    """

    kind = serializers.ChoiceField(choices=["form_post", "tus", "put", "s3_multipart", "none"])
    url = serializers.CharField(required=False)
    fields = serializers.DictField(child=serializers.CharField(), required=False)  # type: ignore[assignment]
    file_field = serializers.CharField(required=False)
    upload_url = serializers.CharField(required=False)
    endpoint = serializers.CharField(required=False)
    headers = serializers.DictField(child=serializers.CharField(), required=False)
    metadata = serializers.DictField(child=serializers.CharField(), required=False)
    chunk_size = serializers.IntegerField(required=False)
    companion_url = serializers.CharField(required=False)
    part_size = serializers.IntegerField(required=False)
    expires_at = serializers.DateTimeField(required=False)


class PassedOverSerializer(serializers.Serializer):
    """A host that was asked before and could not take the file."""

    provider = serializers.CharField()
    code = serializers.CharField()


class VideoCreatedSerializer(serializers.Serializer):
    video = VideoSerializer()
    upload = UploadTicketSerializer()
    passed_over = PassedOverSerializer(many=True)


class AssetSerializer(serializers.ModelSerializer):
    """One copy at a host; `is_next` takes the current one's place once it is ready."""

    video_service_id = serializers.CharField(source="host_id")

    class Meta:
        model = Asset
        fields = [
            "provider",
            "video_service_id",
            "status",
            "host_status",
            "failure_code",
            "failure_reason",
            "progress_percent",
            "protection",
            "is_current",
            "is_next",
        ]
        read_only_fields = fields


class FileSentSerializer(serializers.Serializer):
    """The new copy, and the hosts that were passed over."""

    asset = AssetSerializer()
    passed_over = PassedOverSerializer(many=True)


class ReplacementSerializer(FileSentSerializer):
    upload = UploadTicketSerializer()


class VideoStatusSerializer(serializers.Serializer):
    """The current copy, as far as we were told; `host_status` is the host's own word, `duration` in seconds.

    `status` is null for a video without a copy. `progress_percent` is that of the host's processing. `next` is a copy
    that waits to take the current one's place.
    """

    id = serializers.UUIDField()
    status = serializers.ChoiceField(choices=AssetStatus.choices, allow_null=True)
    provider = serializers.CharField()
    video_service_id = serializers.CharField()
    host_status = serializers.CharField()
    failure_code = serializers.CharField()
    failure_reason = serializers.CharField()
    progress_percent = serializers.IntegerField(allow_null=True)
    duration = serializers.FloatField(allow_null=True)
    ready_at = serializers.DateTimeField(allow_null=True)
    next_check_at = serializers.DateTimeField(allow_null=True)
    next = AssetSerializer(allow_null=True)

    def to_representation(self, video: Video) -> dict[str, Any]:
        values = {
            "id": video.pk,
            "status": _of(video, "status", None),
            "provider": _of(video, "provider", ""),
            "video_service_id": _of(video, "host_id", ""),
            "host_status": _of(video, "host_status", ""),
            "failure_code": _of(video, "failure_code", ""),
            "failure_reason": _of(video, "failure_reason", ""),
            "progress_percent": _of(video, "progress_percent", None),
            "duration": _of(video, "duration_s", None),
            "ready_at": _of(video, "ready_at", None),
            "next_check_at": _of(video, "next_poll_at", None),
            "next": video.assets.filter(is_next=True).first(),
        }
        return super().to_representation(values)
