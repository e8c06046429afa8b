from typing import Any, cast

from django.core.paginator import EmptyPage, Page, Paginator
from django.db.models import Count, Model, QuerySet, Window
from rest_framework.pagination import PageNumberPagination

PAGE_MAX = 10**6


class CountingPaginator(Paginator):
    """Counts the rows in the statement that fetches the page."""

    def page(self, number: int | str) -> Page[Any]:
        try:
            wanted = int(number)
        except ValueError as error:
            raise EmptyPage from error
        if not 1 <= wanted <= PAGE_MAX:
            raise EmptyPage
        start = (wanted - 1) * self.per_page
        counted = cast(QuerySet[Model], self.object_list).annotate(rows_in_all=Window(Count("*")))
        rows = list(counted[start : start + self.per_page])
        if not rows and wanted > 1:
            raise EmptyPage
        self.count = rows[0].rows_in_all if rows else 0
        return Page(rows, wanted, self)


class VideoPagination(PageNumberPagination):
    """`{count, next, previous, results}`; `?page=` and `?page_size=` (20 by default, 100 at most)."""

    django_paginator_class = CountingPaginator
    page_size = 20
    page_size_query_param = "page_size"
    max_page_size = 100

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        # DRF says `nullable`, which OpenAPI 3.1 does not know.
        page: dict[str, Any] = super().get_paginated_response_schema(schema)
        for link in ("next", "previous"):
            found = page["properties"][link]
            del found["nullable"]
            found["type"] = ["string", "null"]
        return page
