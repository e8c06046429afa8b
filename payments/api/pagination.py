from typing import Any, cast

from django.core.paginator import EmptyPage, Page, Paginator
from django.db.models import Count, Model, QuerySet, Window
from rest_framework.pagination import PageNumberPagination


class CountingPaginator(Paginator):
    """Counts the rows in the statement that fetches the page, which a small list would otherwise pay for twice."""

    def page(self, number: int | str) -> Page[Any]:
        try:
            wanted = int(number)
        except ValueError as error:
            raise EmptyPage from error
        if not 1 <= wanted <= 10**6:
            raise EmptyPage
        start = (wanted - 1) * self.per_page
        counted = cast(QuerySet[Model], self.object_list).annotate(rows_in_all=Window(Count("*")))
        rows = list(counted[start : start + self.per_page])
        if not rows and wanted > 1:
            raise EmptyPage
        self.count = rows[0].rows_in_all if rows else 0
        return Page(rows, wanted, self)


class OrderPagination(PageNumberPagination):
    """`{count, next, previous, results}`; `?page=` and `?page_size=` (20 by default, 100 at most)."""

    django_paginator_class = CountingPaginator
    page_size = 20
    page_size_query_param = "page_size"
    max_page_size = 100
