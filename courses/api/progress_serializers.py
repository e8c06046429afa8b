from typing import Any

from rest_framework import serializers

from courses.learning import LessonRecord
from courses.models import Enrollment


class CompletionSerializer(serializers.Serializer[LessonRecord]):
    is_completed = serializers.SerializerMethodField()
    completed_at = serializers.DateTimeField(allow_null=True)
    is_marked = serializers.SerializerMethodField(help_text="Marked as done by hand, which can be taken back.")

    def get_is_completed(self, record: LessonRecord) -> bool:
        return record.completed_at is not None

    def get_is_marked(self, record: LessonRecord) -> bool:
        return record.marked_at is not None


class StudentSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(source="display_name")
    email = serializers.EmailField()


class StudentProgressSerializer(serializers.ModelSerializer[Enrollment]):
    student = StudentSerializer(source="user")
    percentage = serializers.IntegerField(help_text="Of lessons done, rounded down.")
    completed_lessons = serializers.IntegerField()
    total_lessons = serializers.IntegerField()
    last_active_at = serializers.DateTimeField(allow_null=True, help_text="When a lesson was last watched or marked.")

    class Meta:
        model = Enrollment
        fields = ["student", "started_at", "percentage", "completed_lessons", "total_lessons", "last_active_at"]
