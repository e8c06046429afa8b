"""The version of what the public pages show: it tells a browser in one statement that nothing has changed."""

import hashlib

from django.db.models import Aggregate, CharField, Count, DateTimeField, Max, QuerySet, Sum, TextField, Value
from django.db.models.functions import Cast, Concat

from courses.models import Course, CourseQuerySet, Lesson, Part, University
from videos.models import Asset

_SHAPE = "1"  # grows when the answers of the catalogue get other keys


def list_version(courses: CourseQuerySet) -> str:
    """A text that changes with anything that the cards of `courses` show; one statement."""
    return _digest(_card_parts(courses))


def detail_version(courses: CourseQuerySet) -> str:
    """A text that changes with anything that the public page of `courses` shows; one statement."""
    parts = _part(Part.objects.filter(course__in=courses))
    assets = Asset.objects.filter(is_current=True, video__lessons__part__course__in=courses)
    durations = _part(assets, changed="ready_at", words=Cast(Sum("duration_s"), TextField()))
    return _digest([*_card_parts(courses), parts, durations])


def _card_parts(courses: CourseQuerySet) -> list[QuerySet]:
    taught = Course.instructors.through.objects.filter(course__in=courses)
    names = Concat("user__first_name", Value(" "), "user__last_name", Value(" "), "user__username")
    return [
        _part(courses, words=Cast(Sum("price_minor"), TextField())),
        _part(University.objects.filter(courses__in=courses)),
        _part(Lesson.objects.filter(part__course__in=courses)),
        _part(taught, changed=None, words=_Joined(names)),
    ]


def _part(rows: QuerySet, *, changed: str | None = "updated_at", words: Cast | Aggregate | None = None) -> QuerySet:
    return (
        rows.order_by()
        .annotate(table=Value(rows.model._meta.db_table, output_field=CharField()))
        .values("table")
        .annotate(
            rows=Count("pk"),
            changed=Max(changed) if changed else Cast(Value(None), DateTimeField()),
            words=words or Value("", output_field=TextField()),
        )
        .values_list("table", "rows", "changed", "words")
    )


def _digest(parts: list[QuerySet]) -> str:
    rows = sorted(parts[0].union(*parts[1:], all=True), key=lambda row: str(row[0]))
    return hashlib.sha256(f"{_SHAPE}{rows}".encode()).hexdigest()[:32]


class _Joined(Aggregate):
    """All texts of the group in one, in no promised order."""

    function = "STRING_AGG"
    template = "%(function)s(%(expressions)s, ',')"
    output_field = TextField()

    def as_sqlite(self, compiler, connection, **context):  # type: ignore[no-untyped-def]
        return self.as_sql(compiler, connection, function="GROUP_CONCAT", **context)
