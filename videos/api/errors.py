"""What goes wrong, as HTTP: `{type, errors: [{code, detail, attr}]}`, whatever handler the host project has."""

import math
from collections.abc import Iterator
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.http import Http404
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import APIView, set_rollback

from videos.services.errors import (
    AccessDenied,
    CannotPrepare,
    ChallengeMalformed,
    ChallengeTooLarge,
    FileTooLarge,
    HostUnavailable,
    InvalidRequest,
    InvalidSessionToken,
    LicenceRefused,
    LicenceUnavailable,
    NoSuchFile,
    NoThumbnail,
    NotShareable,
    NotYours,
    SessionEnded,
    SessionRevoked,
    SignatureInvalid,
    SourceGone,
    TooManyLicences,
    TooManyStreams,
    TranscodeRunning,
    UploadNotFound,
    UploadOver,
    UploadRefused,
    VideoFailed,
    VideoNotReady,
    VideosError,
)

STATUS_BY_ERROR: dict[type[VideosError], int] = {
    AccessDenied: 403,
    TooManyStreams: 409,
    VideoNotReady: 425,
    VideoFailed: 409,
    HostUnavailable: 503,
    SessionRevoked: 403,
    SignatureInvalid: 403,
    NoThumbnail: 404,
    UploadNotFound: 404,
    UploadOver: 410,
    UploadRefused: 400,
    NoSuchFile: 404,
    SessionEnded: 403,
    InvalidSessionToken: 403,
    InvalidRequest: 400,
    NotYours: 403,
    FileTooLarge: 413,
    NotShareable: 409,
    LicenceRefused: 403,
    ChallengeMalformed: 400,
    ChallengeTooLarge: 413,
    TooManyLicences: 429,
    LicenceUnavailable: 503,
    TranscodeRunning: 409,
    SourceGone: 409,
    CannotPrepare: 409,
}


class BodyTooLarge(exceptions.APIException):
    status_code = 413
    default_detail = "The body is too large."
    default_code = "too_large"


class LengthRequired(exceptions.APIException):
    status_code = 411
    default_detail = "Say the length of the body in Content-Length."
    default_code = "length_required"


class SpeaksErrors(APIView):
    """A view whose errors have this app's shape and are never cached."""

    def get_exception_handler(self) -> Any:
        return handle


def handle(error: Exception, context: dict[str, Any]) -> Response | None:
    """The answer to an exception; None for one that is a defect."""
    if isinstance(error, VideosError):
        response = _of_ours(error)
    elif isinstance(error, Http404):
        response = _of_drf(exceptions.NotFound())
    elif isinstance(error, PermissionDenied):
        response = _of_drf(exceptions.PermissionDenied())
    elif isinstance(error, RequestDataTooBig):
        response = _of_drf(BodyTooLarge())
    elif isinstance(error, exceptions.APIException):
        response = _of_drf(error)
    else:
        return None
    set_rollback()
    response["Cache-Control"] = "no-store"
    return response


def _of_ours(error: VideosError) -> Response:
    status = STATUS_BY_ERROR[type(error)]
    kind = "server_error" if status >= 500 else "validation_error" if status == 400 else "client_error"
    entry = {"code": error.code, "detail": error.detail, "attr": getattr(error, "attr", None)}
    response = Response({"type": kind, "errors": [entry]} | error.extra_json(), status=status)
    if error.retry_after_s is not None:
        response["Retry-After"] = str(error.retry_after_s)
    return response


def _of_drf(error: exceptions.APIException) -> Response:
    if isinstance(error, exceptions.ValidationError):
        kind, entries = "validation_error", list(_flat(error.detail))
    else:
        kind, entries = "client_error" if error.status_code < 500 else "server_error", [_single(error)]
    response = Response({"type": kind, "errors": entries}, status=error.status_code)
    if auth_header := getattr(error, "auth_header", ""):
        response["WWW-Authenticate"] = auth_header
    if wait := getattr(error, "wait", None):
        response["Retry-After"] = str(math.ceil(wait))
    return response


def _single(error: exceptions.APIException) -> dict[str, Any]:
    detail: Any = error.detail
    if isinstance(detail, dict):
        detail = detail.get("detail", error.default_detail)
    return {"code": getattr(detail, "code", error.default_code), "detail": str(detail), "attr": None}


def _flat(detail: Any, attr: str = "") -> Iterator[dict[str, Any]]:
    if isinstance(detail, dict):
        for key, value in detail.items():
            name = attr if key == "non_field_errors" else f"{attr}.{key}" if attr else str(key)
            yield from _flat(value, name)
    elif isinstance(detail, list):
        for index, value in enumerate(detail):
            is_nested = isinstance(value, dict | list)
            yield from _flat(value, f"{attr}.{index}" if is_nested and value else attr)
    else:
        yield {"code": getattr(detail, "code", "invalid"), "detail": str(detail), "attr": attr or None}
