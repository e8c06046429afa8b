"""The version of what the public pages show: it tells a browser in one statement that nothing has changed."""

import hashlib
from functools import cache
from typing import Any

from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Aggregate, CharField, Count, DateTimeField, Max, QuerySet, Sum, TextField, Value
from django.db.models.functions import Cast, Concat
from django.db.models.sql.compiler import SQLCompiler

from courses.models import Course, Lesson, Part, University
from videos.models import Asset

_SHAPE = "3"  # grows when the answers of the catalogue get other keys
_ANY_SLUG = "any-slug"


def list_version() -> str:
    """A text that changes with anything that the cards of published courses show; one statement."""
    return _digest(*_list_statement(connection.vendor))


def detail_version(slug: str) -> str:
    """A text that changes with anything that the public page of a course shows; one statement."""
    sql, params = _detail_statement(connection.vendor)
    return _digest(sql, tuple(slug if param == _ANY_SLUG else param for param in params))


@cache
def _list_statement(vendor: str) -> tuple[str, tuple[Any, ...]]:
    # Curricula and people of unpublished courses are counted too: a needless new version is cheaper than the joins.
    return _compiled(
        _part(Course.objects.published(), words=Cast(Sum("price_minor"), TextField())),
        _part(University.objects.all()),
        _part(Part.objects.all()),
        _part(Lesson.objects.all()),
        _people(Course.instructors.through.objects.all()),
    )


@cache
def _detail_statement(vendor: str) -> tuple[str, tuple[Any, ...]]:
    courses = Course.objects.published().filter(slug=_ANY_SLUG)
    assets = Asset.objects.filter(is_current=True, video__lessons__part__course__in=courses)
    return _compiled(
        _part(courses, words=Cast(Sum("price_minor"), TextField())),
        _part(University.objects.filter(courses__in=courses)),
        _part(Part.objects.filter(course__in=courses)),
        _part(Lesson.objects.filter(part__course__in=courses)),
        _part(assets, changed="ready_at", words=Cast(Sum("duration_s"), TextField())),
        _people(Course.instructors.through.objects.filter(course__in=courses)),
    )


def _compiled(first: QuerySet, *others: QuerySet) -> tuple[str, tuple[Any, ...]]:
    # Putting the statement together takes the ORM ten times as long as the database needs to answer it.
    sql, params = first.union(*others, all=True).query.sql_with_params()
    return sql, tuple(params)


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


def _people(taught: QuerySet) -> QuerySet:
    names = Concat(
        Cast("course_id", TextField()),
        *(Value(":"), "user__first_name", Value(" "), "user__last_name", Value(" "), "user__username"),
    )
    return _part(taught, changed=None, words=_Joined(names))


def _digest(sql: str, params: tuple[Any, ...]) -> str:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        rows = sorted(cursor.fetchall(), key=lambda row: str(row[0]))
    return hashlib.sha256(f"{_SHAPE}{rows}".encode()).hexdigest()[:32]


class _Joined(Aggregate):
    """All texts of the group in one, in no promised order."""

    function = "STRING_AGG"
    template = "%(function)s(%(expressions)s, ',')"
    output_field = TextField()

    def as_sqlite(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any
    ) -> tuple[str, tuple[str | int, ...]]:
        return self.as_sql(compiler, connection, function="GROUP_CONCAT", **context)
