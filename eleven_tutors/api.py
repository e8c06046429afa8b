from typing import Any, cast

from django.core.exceptions import RequestDataTooBig
from django.core.paginator import EmptyPage, Page, Paginator
from django.db.models import Count, Model, QuerySet, Window
from drf_standardized_errors.handler import ExceptionHandler
from rest_framework import status
from rest_framework.exceptions import APIException, NotAuthenticated
from rest_framework.pagination import PageNumberPagination
from rest_framework_simplejwt.exceptions import AuthenticationFailed as TokenRefused


class BodyTooLarge(APIException):
    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_detail = "The body is too large."
    default_code = "too_large"


class ErrorHandler(ExceptionHandler):
    """Errors as `{type, errors: [{code, detail, attr}]}`, a refused bearer token among them.

    simplejwt packs `detail`, `code` and `messages` into one dictionary, which would read as an error for each key.
    """

    def convert_known_exceptions(self, exc: Exception) -> Exception:
        if isinstance(exc, TokenRefused) and isinstance(exc.detail, dict):
            refused = NotAuthenticated(detail=str(exc.detail["detail"]), code=str(exc.detail["code"]))
            # DRF's view sets this attribute on the exception and reads it back for WWW-Authenticate.
            setattr(refused, "auth_header", getattr(exc, "auth_header", None))  # noqa: B010
            return refused
        if isinstance(exc, RequestDataTooBig):
            return BodyTooLarge()
        return super().convert_known_exceptions(exc)


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


class Pagination(PageNumberPagination):
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
