"""What teachers and staff send to write courses."""

from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError as InvalidValue
from django.db import transaction
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from courses.access import COURSE_TERMS, manageable_courses
from courses.files import validate_resource
from courses.models import Course, Lesson, LessonResource, Part, University
from courses.money import validate_price
from courses.services.curriculum import LARGEST_POSITION
from videos.api.serializers import AssetSerializer, UploadTicketSerializer, VideoSerializer
from videos.models import Protection, Quality


class CourseWriteSerializer(serializers.ModelSerializer[Course]):
    university = serializers.SlugRelatedField(slug_field="slug", queryset=University.objects.all())
    instructors = serializers.SlugRelatedField(
        slug_field="email", queryset=get_user_model().objects.all(), many=True, required=False
    )

    class Meta:
        model = Course
        fields = ["title", "summary", "description", "level", "language", *COURSE_TERMS]
        extra_kwargs = {"price_minor": {"max_value": LARGEST_POSITION}}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        values = {name: attrs.get(name, getattr(self.instance, name, None)) for name in ("price_minor", "currency")}
        try:
            validate_price(values["price_minor"] or 0, values["currency"] or "usd")
        except InvalidValue as error:
            raise serializers.ValidationError(serializers.as_serializer_error(error)) from error
        return attrs

    def update(self, instance: Course, validated_data: dict[str, Any]) -> Course:
        """Write what was sent and nothing else: the terms may have been changed since the course was read."""
        people = validated_data.pop("instructors", None)
        for name, value in validated_data.items():
            setattr(instance, name, value)
        with transaction.atomic():
            instance.save(update_fields=[*validated_data, "updated_at"])
            if people is not None:
                instance.instructors.set(people)
        return instance


class PartSerializer(serializers.ModelSerializer[Part]):
    """A part; without `position` a new one is the last."""

    position = serializers.IntegerField(min_value=0, max_value=LARGEST_POSITION, required=False)

    class Meta:
        model = Part
        fields = ["id", "title", "position"]


class LessonWriteSerializer(serializers.ModelSerializer[Lesson]):
    """A new lesson: the last of its part without `position`, with a slug of its title without `slug`."""

    slug = serializers.SlugField(max_length=100, required=False)
    position = serializers.IntegerField(min_value=0, max_value=LARGEST_POSITION, required=False)

    class Meta:
        model = Lesson
        fields = ["title", "slug", "description", "position", "is_free_preview", "is_exam"]


class OwnPartField(serializers.PrimaryKeyRelatedField):
    """A part of a course that whoever asks manages."""

    def get_queryset(self) -> Any:
        return Part.objects.filter(course__in=manageable_courses(self.context["request"].user))


class LessonChangesSerializer(serializers.ModelSerializer[Lesson]):
    part = OwnPartField(required=False)
    position = serializers.IntegerField(min_value=0, max_value=LARGEST_POSITION, required=False)
    video_service_id = serializers.CharField(
        allow_blank=True, max_length=255, required=False, help_text="The host's id of the video; empty removes it."
    )

    class Meta:
        model = Lesson
        fields = [
            "title",
            "slug",
            "description",
            "part",
            "position",
            "is_free_preview",
            "is_exam",
            "video_service_id",
        ]


class PartOrderSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    lessons = serializers.ListField(child=serializers.CharField(max_length=100), max_length=2000)


class CourseOrderSerializer(serializers.Serializer[Any]):
    """Every part and every lesson of a course, in the order that is wanted."""

    parts = serializers.ListField(child=PartOrderSerializer(), max_length=1000)


class ManagedResourceSerializer(serializers.ModelSerializer[LessonResource]):
    """An address (`url`), or a file sent as multipart/form-data; `address` is where it can be read now."""

    file = serializers.FileField(write_only=True, required=False, validators=[validate_resource])
    address = serializers.SerializerMethodField()

    class Meta:
        model = LessonResource
        fields = ["id", "title", "url", "file", "address"]

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if bool(attrs.get("url")) == bool(attrs.get("file")):
            raise serializers.ValidationError({"url": "Give an address or a file, and only one."}, code="required")
        return attrs

    def get_address(self, resource: LessonResource) -> str:
        return str(self.context["request"].build_absolute_uri(resource.address))


class LessonVideoSerializer(serializers.Serializer[Any]):
    """One of three: a file to come (`filename`, `size`), a video of mine (`video_id`), an id at the host."""

    filename = serializers.CharField(max_length=1000, required=False)
    size = serializers.IntegerField(min_value=1, max_value=2**50, required=False, help_text="Bytes.")
    content_type = serializers.CharField(max_length=100, default="", allow_blank=True)
    title = serializers.CharField(max_length=200, default="", allow_blank=True)
    protection = serializers.ChoiceField(
        choices=Protection.choices, required=False, allow_blank=True, help_text="Left out: what the lesson calls for."
    )
    quality = serializers.ChoiceField(
        choices=Quality.choices,
        required=False,
        allow_blank=True,
        help_text="Where the host asks; left out: that of the lesson's video, or the host's usual.",
    )
    provider = serializers.CharField(max_length=64, default="", allow_blank=True)
    video_id = serializers.UUIDField(required=False)
    video_service_id = serializers.CharField(max_length=255, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if sum(name in attrs for name in ("filename", "video_id", "video_service_id")) != 1:
            detail = "Give one of filename, video_id and video_service_id."
            raise serializers.ValidationError({"filename": detail}, code="ambiguous")
        if "filename" in attrs and "size" not in attrs:
            raise serializers.ValidationError({"size": "This field is required."}, code="required")
        return attrs


class LessonVideoAnswerSerializer(serializers.Serializer[Any]):
    """`asset` and `upload` come with a file that is to be uploaded, and are null otherwise."""

    video = VideoSerializer()
    asset = AssetSerializer(allow_null=True)
    upload = serializers.SerializerMethodField()

    @extend_schema_field(UploadTicketSerializer(allow_null=True))
    def get_upload(self, given: dict[str, Any]) -> dict[str, Any] | None:
        # Tickets differ by kind; they are passed on as the host worded them.
        ticket: dict[str, Any] | None = given["upload"]
        return ticket
