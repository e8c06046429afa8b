from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from django.db import connections, models
from django.db.models import F, FilteredRelation, Q, Subquery
from django.urls import reverse

from courses import sql
from courses.files import resource_path, sign_resource, validate_resource
from videos.models import Video, Viewer

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from users.models import User

    Person = User | AnonymousUser


class Part(models.Model):
    course = models.ForeignKey("courses.Course", on_delete=models.CASCADE, related_name="parts")
    title = models.CharField(max_length=200)
    position = models.PositiveIntegerField(default=0, db_index=True)
    updated_at = models.DateTimeField(auto_now=True, db_index=True)

    class Meta:
        ordering = ["position", "id"]

    def __str__(self) -> str:
        return self.title


class LessonQuerySet(models.QuerySet["Lesson"]):
    def ties_of_video(self, video_id: UUID, user: "Person") -> list["LessonTies"]:
        """What ties `user` to the course of each lesson that shows this video or is its subject; one lean statement.

        A video whose subject is a course is tied to it like a lesson that is no preview.
        """
        database = connections[self.db]
        key = Video._meta.pk.get_db_prep_value(video_id, database)
        with database.cursor() as cursor:
            cursor.execute(sql.TIES_OF_VIDEO, [key, key, user.pk, user.pk, user.pk])
            rows = cursor.fetchall()
        return [
            LessonTies(bool(preview), bool(published), tier, bool(enrolled), bool(ended), bool(taught))
            for preview, published, tier, enrolled, ended, taught in rows
        ]

    def in_order(self) -> "LessonQuerySet":
        """As students meet them: by part, then by position."""
        return self.order_by("part__position", "part_id", "position", "pk")

    def as_outline(self, user: "Person") -> "LessonQuerySet":
        """Annotate `has_video`, its `duration_s`, and what `user` has seen and done (see `with_progress`)."""
        return self.with_duration().annotate(has_video=Q(video__isnull=False)).with_progress(user)

    def with_duration(self) -> "LessonQuerySet":
        """Annotate `duration_s` of what each lesson plays; None without."""
        current = FilteredRelation("video__assets", condition=Q(video__assets__is_current=True))
        return self.annotate(current=current, duration_s=F("current__duration_s"))

    def with_progress(self, user: "Person") -> "LessonQuerySet":
        """Annotate what `user` has seen of each lesson's video and done by hand; None: nothing.

        `seen_until_s`, `seen_ms` of `seen_of_ms`, `seen_at` last, `watched_at` completion, and `marked_at`.
        """
        viewer = Subquery(Viewer.objects.filter(user=user.pk).values("pk"))
        return self.annotate(
            seen=FilteredRelation("video__progress", condition=Q(video__progress__viewer=viewer)),
            marked=FilteredRelation("progress", condition=Q(progress__user=user.pk)),
            seen_until_s=F("seen__position_s"),
            seen_ms=F("seen__covered_ms"),
            seen_of_ms=F("seen__duration_ms"),
            seen_at=F("seen__last_played_at"),
            watched_at=F("seen__completed_at"),
            marked_at=F("marked__completed_at"),
        )

    def refs(self) -> list["LessonRef"]:
        """What the access policy has to be told of each lesson; one statement."""
        return [LessonRef(*row) for row in self.values_list("pk", "part__course_id", "is_free_preview")]


class LessonTies(NamedTuple):
    """What decides whether a person may open a lesson: the lesson, its course, and the person's ties to the course."""

    is_free_preview: bool
    is_published: bool
    tier: str
    is_enrolled: bool
    has_ended: bool
    is_taught: bool


class LessonRef(NamedTuple):
    """A lesson as far as the access policy looks at it."""

    pk: int
    course_id: int
    is_free_preview: bool


class Lesson(models.Model):
    """A lesson has at most one video; a video may serve several lessons."""

    part = models.ForeignKey(Part, on_delete=models.CASCADE, related_name="lessons")
    title = models.CharField(max_length=200)
    slug = models.SlugField(max_length=100, unique=True, help_text="Unique in the whole site.")
    description = models.TextField(blank=True)
    position = models.PositiveIntegerField(default=0, db_index=True)
    is_free_preview = models.BooleanField(default=False)
    is_exam = models.BooleanField(default=False)
    video = models.ForeignKey(Video, null=True, blank=True, on_delete=models.SET_NULL, related_name="lessons")
    updated_at = models.DateTimeField(auto_now=True, db_index=True)

    objects = LessonQuerySet.as_manager()

    class Meta:
        ordering = ["position", "id"]

    def __str__(self) -> str:
        return self.title

    @property
    def ref(self) -> LessonRef:
        return LessonRef(self.pk, self.part.course_id, self.is_free_preview)


class LessonResource(models.Model):
    """Something to read beside a lesson: an address or a file."""

    lesson = models.ForeignKey(Lesson, on_delete=models.CASCADE, related_name="resources")
    title = models.CharField(max_length=200)
    url = models.URLField(blank=True)
    file = models.FileField(upload_to=resource_path, blank=True, validators=[validate_resource])

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=(~Q(url="") & Q(file="")) | (Q(url="") & ~Q(file="")), name="resource_is_url_or_file"
            )
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def address(self) -> str:
        """Where it can be read: the address outside, or a signed path of ours that works for an hour."""
        return self.url or reverse("courses:resource", args=[sign_resource(self.pk)])
