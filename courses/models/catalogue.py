from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import Count, Exists, OuterRef, Q, Subquery, Value
from django.db.models.functions import Coalesce, Lower

from courses.files import course_thumbnail_path, university_logo_path
from courses.images import image_path, validate_image
from courses.models.curriculum import Lesson
from courses.models.enrollment import Enrollment
from courses.money import display, validate_currency, validate_price

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from users.models import User

    Person = User | AnonymousUser


class Level(models.TextChoices):
    BEGINNER = "beginner"
    INTERMEDIATE = "intermediate"
    ADVANCED = "advanced"


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
