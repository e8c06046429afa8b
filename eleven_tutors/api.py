from django.core.exceptions import RequestDataTooBig
from drf_standardized_errors.handler import ExceptionHandler
from rest_framework import status
from rest_framework.exceptions import APIException, NotAuthenticated
from rest_framework_simplejwt.exceptions import AuthenticationFailed as TokenRefused

from videos.api.pagination import VideoPagination


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


class Pagination(VideoPagination):
    """Lists of the whole project are cut and counted like those of videos."""
