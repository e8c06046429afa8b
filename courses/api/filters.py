from django.db.models import Q
from django_filters import rest_framework as filters
from rest_framework.request import Request
from rest_framework.views import APIView

from courses.models import Course, CourseQuerySet, Level


class _StableOrdering(filters.OrderingFilter):
    """Ends every order with the primary key, so that pages neither repeat nor skip a row."""

    def filter(self, qs: CourseQuerySet, value: list[str] | None) -> CourseQuerySet:
        ordered: CourseQuerySet = super().filter(qs, value)
        return ordered.order_by(*ordered.query.order_by, "pk") if value else ordered


class CourseFilter(filters.FilterSet):
    search = filters.CharFilter(method="filter_search", label="Words in the title, the summary or the university.")
    university = filters.CharFilter(field_name="university__slug", label="Slug of a university.")
    level = filters.ChoiceFilter(choices=Level.choices)
    language = filters.CharFilter(lookup_expr="iexact", label="BCP 47, such as en or pt-BR.")
    free = filters.BooleanFilter(method="filter_free", label="Only courses that cost nothing, or only the others.")
    ordering = _StableOrdering(fields=["title", "created_at", "price_minor"])

    class Meta:
        model = Course
        fields = ["search", "university", "level", "language", "free", "ordering"]

    def filter_search(self, courses: CourseQuerySet, name: str, value: str) -> CourseQuerySet:
        for word in value.split()[:10]:
            courses = courses.filter(
                Q(title__icontains=word) | Q(summary__icontains=word) | Q(university__name__icontains=word)
            )
        return courses

    def filter_free(self, courses: CourseQuerySet, name: str, value: bool) -> CourseQuerySet:
        return courses.filter(price_minor=0) if value else courses.filter(price_minor__gt=0)


class CatalogueFilters(filters.DjangoFilterBackend):
    """Leaves out the work of reading a query when nothing is asked of it."""

    def filter_queryset(self, request: Request, queryset: CourseQuerySet, view: APIView) -> CourseQuerySet:
        if request.query_params.keys().isdisjoint(CourseFilter.base_filters):
            return queryset
        filtered: CourseQuerySet = super().filter_queryset(request, queryset, view)
        return filtered
