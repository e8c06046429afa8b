from functools import cached_property
from typing import Any

from django.contrib.auth import get_user_model
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from courses.api.progress_serializers import CompletionSerializer
from courses.learning import CourseProgress, Step
from courses.lesson_page import LessonPage
from courses.models import Course, Enrollment, Lesson, LessonResource, Part, University
from courses.reading import Outline


class AbsoluteURLField(serializers.CharField):
    """A path of this site as an absolute address; an empty path stays empty."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs, read_only=True)

    def to_representation(self, value: str) -> str:
        return self.context["request"].build_absolute_uri(value) if value else ""


class UniversityReferenceSerializer(serializers.ModelSerializer[University]):
    logo_url = AbsoluteURLField(source="logo_path")

    class Meta:
        model = University
        fields = ["name", "slug", "logo_url"]


class UniversitySerializer(serializers.ModelSerializer[University]):
    logo_url = AbsoluteURLField(source="logo_path")
    course_count = serializers.IntegerField(read_only=True)

    class Meta:
        model = University
        fields = ["name", "slug", "description", "website", "logo_url", "course_count"]


class InstructorSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(source="display_name")


class CourseCardSerializer(serializers.ModelSerializer[Course]):
    price_display = serializers.CharField(read_only=True)
    is_free = serializers.BooleanField(read_only=True)
    thumbnail_url = AbsoluteURLField(source="thumbnail_path")
    university = UniversityReferenceSerializer(read_only=True)
    instructors = InstructorSerializer(source="people", many=True, read_only=True)
    lesson_count = serializers.IntegerField(read_only=True)
    is_enrolled = serializers.BooleanField(read_only=True, help_text="Whether I am; false for anonymous readers.")

    class Meta:
        model = Course
        fields = [
            "id",
            "slug",
            "title",
            "summary",
            "level",
            "language",
            "price_minor",
            "currency",
            "price_display",
            "is_free",
            "thumbnail_url",
            "university",
            "instructors",
            "lesson_count",
            "is_enrolled",
        ]

    def to_representation(self, course: Course) -> dict[str, Any]:
        university = course.university
        return {
            "id": course.pk,
            "slug": course.slug,
            "title": course.title,
            "summary": course.summary,
            "level": course.level,
            "language": course.language,
            "price_minor": course.price_minor,
            "currency": course.currency,
            "price_display": course.price_display,
            "is_free": course.is_free,
            "thumbnail_url": self._absolute(course.thumbnail_path),
            "university": {
                "name": university.name,
                "slug": university.slug,
                "logo_url": self._absolute(university.logo_path),
            },
            "instructors": [{"name": person.display_name} for person in course.people],
            "lesson_count": course.lesson_count,
            "is_enrolled": course.is_enrolled,
        }

    def _absolute(self, path: str) -> str:
        return f"{self._site}{path}" if path else ""

    @cached_property
    def _site(self) -> str:
        return str(self.context["request"].build_absolute_uri("/")).removesuffix("/")


class OutlineLessonSerializer(serializers.ModelSerializer[Lesson]):
    duration = serializers.FloatField(allow_null=True, help_text="Seconds.")
    has_video = serializers.BooleanField()
    is_locked = serializers.BooleanField()
    my_position = serializers.FloatField(allow_null=True, help_text="Seconds; where I last was in the video.")
    my_coverage = serializers.FloatField(allow_null=True, help_text="Share of the video that I have seen, 0 to 1.")
    is_completed = serializers.BooleanField(help_text="Watched to the end, or marked as done.")

    class Meta:
        model = Lesson
        fields = [
            "slug",
            "title",
            "is_free_preview",
            "is_exam",
            "duration",
            "has_video",
            "is_locked",
            "my_position",
            "my_coverage",
            "is_completed",
        ]


class OutlinePartSerializer(serializers.ModelSerializer[Part]):
    lessons = OutlineLessonSerializer(many=True)

    class Meta:
        model = Part
        fields = ["id", "title", "lessons"]


class CourseProgressSerializer(serializers.Serializer[CourseProgress]):
    completed_lessons = serializers.IntegerField()
    total_lessons = serializers.IntegerField()
    percentage = serializers.IntegerField(help_text="Of lessons done, rounded down.")
    next_lesson_slug = serializers.CharField(allow_null=True, help_text="Where to go on.")
    last_lesson_slug = serializers.CharField(allow_null=True, help_text="What I touched last.")


class CourseDetailSerializer(CourseCardSerializer):
    """A course with its curriculum."""

    parts = OutlinePartSerializer(many=True, read_only=True)
    first_lesson_slug = serializers.CharField(read_only=True, allow_null=True)
    my_progress = CourseProgressSerializer(read_only=True, allow_null=True, help_text="Null for anonymous readers.")

    class Meta:
        model = Course
        fields = [
            *CourseCardSerializer.Meta.fields,
            "description",
            "is_published",
            "parts",
            "first_lesson_slug",
            "my_progress",
            "created_at",
            "updated_at",
        ]

    def to_representation(self, course: Course) -> dict[str, Any]:
        # Two hundred lessons are too many for the fields' own machinery; a test keeps both to one shape.
        outline: Outline = self.context["outline"]
        return super().to_representation(course) | {
            "description": course.description,
            "is_published": course.is_published,
            "parts": [
                {"id": part.id, "title": part.title, "lessons": [lesson._asdict() for lesson in part.lessons]}
                for part in outline.parts
            ],
            "first_lesson_slug": outline.first_lesson_slug,
            "my_progress": CourseProgressSerializer(outline.progress).data if outline.progress else None,
            "created_at": course.created_at,
            "updated_at": course.updated_at,
        }


class CourseReferenceSerializer(serializers.ModelSerializer[Course]):
    class Meta:
        model = Course
        fields = ["slug", "title"]


class ResourceSerializer(serializers.ModelSerializer[LessonResource]):
    url = AbsoluteURLField(source="address")

    class Meta:
        model = LessonResource
        fields = ["title", "url"]


class PlaybackErrorSerializer(serializers.Serializer[Any]):
    code = serializers.CharField()
    detail = serializers.CharField()
    retry_after = serializers.IntegerField(allow_null=True, help_text="Seconds.")


class LessonSessionSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    token = serializers.CharField()
    heartbeat_url = serializers.CharField()
    heartbeat_seconds = serializers.IntegerField()
    lease_expires_at = serializers.DateTimeField(allow_null=True)


class LessonProgressSerializer(CompletionSerializer):
    position = serializers.FloatField(allow_null=True, help_text="Seconds.")
    coverage = serializers.FloatField(allow_null=True, help_text="Share of the video that I have seen, 0 to 1.")


class LessonPageSerializer(serializers.Serializer[LessonPage]):
    slug = serializers.SlugField(source="lesson.slug")
    title = serializers.CharField(source="lesson.title")
    description = serializers.CharField(source="lesson.description")
    course = CourseReferenceSerializer(source="lesson.part.course")
    part_title = serializers.CharField(source="lesson.part.title")
    position = serializers.IntegerField(source="place.position", help_text="Place in the whole course, from 1.")
    is_free_preview = serializers.BooleanField(source="lesson.is_free_preview")
    is_exam = serializers.BooleanField(source="lesson.is_exam")
    resources = ResourceSerializer(source="lesson.resources", many=True)
    previous_slug = serializers.SlugField(source="place.previous_slug", allow_null=True)
    next_slug = serializers.SlugField(source="place.next_slug", allow_null=True)
    video_id = serializers.UUIDField(source="lesson.video_id", allow_null=True)
    video_service_id = serializers.CharField(allow_null=True, help_text="The host's id of the video.")
    video_status = serializers.CharField(
        allow_null=True, help_text="waiting, processing, ready, failed, deleted or missing; null without a video."
    )
    otp = serializers.CharField(source="playback.otp", allow_null=True)
    playbackInfo = serializers.CharField(source="playback.playback_info", allow_null=True)
    playback_error = PlaybackErrorSerializer(source="playback.error", allow_null=True)
    session = LessonSessionSerializer(source="playback.session", allow_null=True)
    my_progress = serializers.SerializerMethodField()

    @extend_schema_field(LessonProgressSerializer)
    def get_my_progress(self, page: LessonPage) -> dict[str, Any]:
        done: dict[str, Any] = CompletionSerializer(page.record).data
        return {"position": page.position_s, "coverage": page.record.coverage, **done}


class EnrolledCourseSerializer(serializers.ModelSerializer[Course]):
    thumbnail_url = AbsoluteURLField(source="thumbnail_path")

    class Meta:
        model = Course
        fields = ["id", "slug", "title", "thumbnail_url"]


class ContinueSerializer(serializers.Serializer[Step]):
    """Where to go on in a course."""

    lesson_slug = serializers.CharField(source="slug")
    lesson_title = serializers.CharField(source="title")
    position = serializers.FloatField(source="position_s", allow_null=True, help_text="Seconds.")
    duration = serializers.FloatField(source="duration_s", allow_null=True, help_text="Seconds.")


class EnrollmentSerializer(serializers.ModelSerializer[Enrollment]):
    """A right to a course, with how far its student is (of `fetch_progress`)."""

    course = EnrolledCourseSerializer(read_only=True)
    percentage = serializers.IntegerField(source="progress.percentage", read_only=True)
    completed_lessons = serializers.IntegerField(source="progress.completed_lessons", read_only=True)
    total_lessons = serializers.IntegerField(source="progress.total_lessons", read_only=True)

    class Meta:
        model = Enrollment
        fields = [
            "course",
            "started_at",
            "is_active",
            "ended_at",
            "ended_reason",
            "source",
            "wants_updates",
            "percentage",
            "completed_lessons",
            "total_lessons",
        ]

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        # A word of Python's own, so it cannot be declared above.
        return super().get_fields() | {"continue": ContinueSerializer(source="continue_at", allow_null=True)}


class EnrollmentCreateSerializer(serializers.Serializer[Any]):
    """Whom staff enroll, by `user_id` or `email`, and the course's slug."""

    user_id = serializers.PrimaryKeyRelatedField(source="user", queryset=get_user_model().objects.all(), required=False)
    email = serializers.EmailField(required=False)
    course = serializers.SlugRelatedField(slug_field="slug", queryset=Course.objects.all())

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        email = attrs.pop("email", None)
        if email and "user" not in attrs:
            attrs["user"] = get_user_model().objects.filter(email__iexact=email).first()
        if attrs.get("user") is None:
            raise serializers.ValidationError({"user_id": "Name an account by user_id or email."}, code="required")
        return attrs
