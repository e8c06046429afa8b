from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from django.conf import settings
from django.db import connections, models
from django.db.models import Count, Exists, F, FilteredRelation, OuterRef, Q, Subquery, Value
from django.db.models.functions import Coalesce, Lower
from django.urls import reverse

from courses import sql
from courses.files import course_thumbnail_path, resource_path, sign_resource, university_logo_path, validate_resource
from courses.images import image_path, validate_image
from courses.money import display, validate_currency, validate_price
from videos.models import PlaybackSession, Video

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from users.models import User

    Person = User | AnonymousUser


class Level(models.TextChoices):
    BEGINNER = "beginner"
    INTERMEDIATE = "intermediate"
    ADVANCED = "advanced"


class EnrollmentSource(models.TextChoices):
    FREE = "free", "free course"
    ORDER = "order", "order"
    STAFF = "staff", "granted by staff"


class University(models.Model):
    name = models.CharField(max_length=200, unique=True)
    slug = models.SlugField(max_length=100, unique=True)
    description = models.TextField(blank=True)
    website = models.URLField(blank=True)
    logo = models.ImageField(upload_to=university_logo_path, blank=True, validators=[validate_image])
    updated_at = models.DateTimeField(auto_now=True, db_index=True)

    class Meta:
        ordering = ["name"]
        verbose_name_plural = "universities"

    def __str__(self) -> str:
        return self.name

    @property
    def logo_path(self) -> str:
        """Lasting address of the logo from the root of this site, readable by anybody; empty without one."""
        return image_path("logos", self.pk, self.logo)


def _is_enrolled(user: "Person", course: str, *, is_active: bool = True) -> Exists | Value:
    if not user.is_authenticated:
        return Value(False)
    return Exists(Enrollment.objects.filter(user=user, course=OuterRef(course), is_active=is_active))


def _is_taught(user: "Person", course: str) -> Exists | Value:
    if not user.is_authenticated:
        return Value(False)
    return Exists(Course.instructors.through.objects.filter(user=user, course=OuterRef(course)))


def _rights(user: "Person", course: str) -> dict[str, Exists | Value]:
    return {
        "is_enrolled": _is_enrolled(user, course),
        "has_ended": _is_enrolled(user, course, is_active=False),
        "is_taught": _is_taught(user, course),
    }


def _position_of(user: "Person") -> Subquery | Value:
    if not user.is_authenticated:
        return Value(None, output_field=models.FloatField())
    mine = PlaybackSession.objects.filter(viewer__user=user, video=OuterRef("video"), position_s__gt=0)
    return Subquery(mine.order_by("-pk").values("position_s")[:1])


@cache
def _lesson_count() -> Coalesce:
    lessons = Lesson.objects.filter(part__course=OuterRef("pk")).order_by().values("part__course")
    return Coalesce(Subquery(lessons.annotate(n=Count("pk")).values("n")), 0)


class CourseQuerySet(models.QuerySet["Course"]):
    def published(self) -> "CourseQuerySet":
        return self.filter(is_published=True)

    def taught_by(self, user: "User") -> "CourseQuerySet":
        return self.filter(pk__in=Course.instructors.through.objects.filter(user=user).values("course_id"))

    def with_rights(self, user: "Person") -> "CourseQuerySet":
        """Annotate `is_enrolled`, `has_ended` and `is_taught`: what ties `user` to each course."""
        return self.annotate(**_rights(user, "pk"))

    def as_cards(self, user: "Person") -> "CourseQuerySet":
        """Fetch all that a card shows but the instructors (see `fetch_people`)."""
        facts = {"is_enrolled": _is_enrolled(user, "pk"), "lesson_count": _lesson_count()}
        return self.annotate(**facts).select_related("university")

    def as_pages(self, user: "Person") -> "CourseQuerySet":
        """Fetch what a page shows but the instructors and the curriculum, and who may open it."""
        facts = {"is_enrolled": _is_enrolled(user, "pk"), "is_taught": _is_taught(user, "pk")}
        return self.annotate(**facts).select_related("university")


class Course(models.Model):
    title = models.CharField(max_length=200)
    slug = models.SlugField(max_length=100, unique=True)
    university = models.ForeignKey(University, on_delete=models.PROTECT, related_name="courses")
    summary = models.CharField(max_length=300, blank=True)
    description = models.TextField(blank=True)
    price_minor = models.PositiveIntegerField(default=0, help_text="In the currency's smallest unit; 0 is free.")
    currency = models.CharField(max_length=3, default="usd", validators=[validate_currency])
    thumbnail = models.ImageField(upload_to=course_thumbnail_path, blank=True, validators=[validate_image])
    level = models.CharField(max_length=16, choices=Level, default=Level.BEGINNER)
    language = models.CharField(max_length=8, default="en", help_text="BCP 47, such as en or pt-BR.")
    included_in_tier = models.CharField(
        max_length=32, blank=True, help_text="Membership tier that includes the course."
    )
    instructors = models.ManyToManyField(settings.AUTH_USER_MODEL, blank=True, related_name="taught_courses")
    is_published = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    # Set by the readers of cards and pages.
    is_enrolled: bool
    is_taught: bool
    lesson_count: int
    people: "Sequence[User]"

    objects = CourseQuerySet.as_manager()

    class Meta:
        ordering = ["title", "id"]
        indexes = [models.Index(fields=["is_published", "title"], name="course_catalogue")]
        constraints = [
            models.CheckConstraint(condition=Q(currency=Lower("currency")), name="course_currency_lower_case")
        ]
        permissions = [("manage_all_courses", "Can see and change the courses of every instructor")]

    def __str__(self) -> str:
        return self.title

    def clean(self) -> None:
        super().clean()
        validate_price(self.price_minor, self.currency)

    @property
    def is_free(self) -> bool:
        return self.price_minor == 0

    @property
    def thumbnail_path(self) -> str:
        """Lasting address of the picture from the root of this site, readable by anybody; empty without one."""
        return image_path("thumbnails", self.pk, self.thumbnail)

    @property
    def price_display(self) -> str:
        return display(self.price_minor, self.currency)


class Part(models.Model):
    course = models.ForeignKey(Course, on_delete=models.CASCADE, related_name="parts")
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
        """Annotate `has_video`, its `duration_s`, and `my_position_s`: where `user` last was in it (None: nowhere)."""
        current = FilteredRelation("video__assets", condition=Q(video__assets__is_current=True))
        return self.annotate(
            current=current,
            has_video=Q(video__isnull=False),
            duration_s=F("current__duration_s"),
            my_position_s=_position_of(user),
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


class EnrollmentQuerySet(models.QuerySet["Enrollment"]):
    def active(self) -> "EnrollmentQuerySet":
        return self.filter(is_active=True)


class Enrollment(models.Model):
    """A student's right to a course and where it came from. A right that ended stays as a row."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="enrollments")
    course = models.ForeignKey(Course, on_delete=models.PROTECT, related_name="enrollments")
    source = models.CharField(max_length=16, choices=EnrollmentSource)
    source_reference = models.CharField(max_length=64, blank=True, help_text="For an order: the order's public id.")
    is_active = models.BooleanField(default=True)
    started_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_reason = models.CharField(max_length=32, blank=True)

    objects = EnrollmentQuerySet.as_manager()

    class Meta:
        ordering = ["-started_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["user", "course"], condition=Q(is_active=True), name="enrollment_one_active_per_course"
            ),
            models.CheckConstraint(
                condition=Q(is_active=True, ended_at=None) | Q(is_active=False, ended_at__isnull=False),
                name="enrollment_ended_has_time",
            ),
        ]
        indexes = [models.Index(fields=["course", "is_active"], name="enrollment_by_course")]

    def __str__(self) -> str:
        return f"{self.user_id} in {self.course_id}"
