"""Resumable uploads through this server, by tus 1.0.0: https://tus.io/protocols/resumable-upload

Plain Django views, so that nothing reads a body before it is wanted, and nothing more of it than a block at a time.
"""

from collections.abc import Iterator
from pathlib import PurePath
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.utils.decorators import method_decorator
from django.utils.http import http_date
from django.views import View
from django.views.decorators.csrf import csrf_exempt
from rest_framework.authentication import SessionAuthentication
from rest_framework.exceptions import (
    APIException,
    AuthenticationFailed,
    MethodNotAllowed,
    NotAuthenticated,
    PermissionDenied,
)
from rest_framework.exceptions import UnsupportedMediaType as WrongMediaType
from rest_framework.request import Request
from rest_framework.settings import api_settings

from videos import conf
from videos.api.errors import STATUS_BY_ERROR, BodyTooLarge
from videos.hosted.api import tus_headers
from videos.hosted.hosts import host
from videos.hosted.models import Upload, UploadKind, UploadState
from videos.hosted.seams.store import StoreUnavailable
from videos.hosted.services.uploading import tus, uploads
from videos.services.errors import HostUnavailable, InvalidRequest, UploadNotFound, VideosError

VERSION = "1.0.0"
EXTENSIONS = "creation,creation-with-upload,expiration,termination,checksum"
BODY_TYPE = "application/offset+octet-stream"
BUSY_S = 10
STATUSES = STATUS_BY_ERROR | {
    tus.OffsetConflict: 409,
    tus.BodyTooLong: 413,
    tus.ChecksumMismatch: 460,
}


class VersionMismatch(APIException):
    status_code = 412
    default_detail = f"Say Tus-Resumable: {VERSION}."
    default_code = "tus_version_unsupported"


class Completed(APIException):
    status_code = 403
    default_detail = "The file has arrived. Delete the video instead."
    default_code = "upload_completed"


@method_decorator(csrf_exempt, name="dispatch")
class TusView(View):
    """Answers in tus headers; errors have the shape that all of this API's have."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        # For what stands between and lets neither PATCH nor DELETE through.
        if request.method == "POST" and (wanted := request.headers.get("X-HTTP-Method-Override")):
            request.method = wanted.upper()
        try:
            response = super().dispatch(request, *args, **kwargs)
        except (VideosError, APIException, StoreUnavailable) as error:
            response = _refusal(error)
        response.headers.setdefault("Cache-Control", "no-store")
        response["Tus-Resumable"] = VERSION
        # Django writes the address of every refusal to its log, and this one holds the upload's secret.
        response._has_been_logged = True  # type: ignore[attr-defined]
        return response

    def http_method_not_allowed(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = _refusal(MethodNotAllowed(request.method or ""))
        response["Allow"] = self._allow()
        return response

    def options(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """What this server can do, and the largest file it takes."""
        response = HttpResponse(status=204)
        response["Allow"] = self._allow()
        response["Tus-Version"] = VERSION
        response["Tus-Extension"] = EXTENSIONS
        response["Tus-Checksum-Algorithm"] = ",".join(tus.ALGORITHMS)
        if aliases := uploads.tus_aliases():
            response["Tus-Max-Size"] = str(host(aliases[0]).upload_max_bytes)
        return response

    def _allow(self) -> str:
        return ", ".join(name.upper() for name in self.http_method_names if hasattr(self, name))


class UploadListView(TusView):
    def post(self, request: HttpRequest) -> HttpResponse:
        """Create a video and the upload for its file, whose first bytes may be in the body."""
        owner = _person(request)
        _require_version(request)
        alias, length = _wanted(request)
        written = request.headers.get("Upload-Metadata", "")
        said = tus_headers.metadata(written)
        filename = tus_headers.first_of(said, "filename", "name")
        chunk = _first_chunk(request, length)
        upload = tus.create(
            owner=owner,
            alias=alias,
            length=length,
            title=(tus_headers.first_of(said, "title") or PurePath(filename).stem or "Video")[:200],
            filename=filename,
            content_type=tus_headers.first_of(said, "filetype", "type", "contentType")[:100],
            metadata=written,
        )
        return _created(upload, chunk)


class UploadView(TusView):
    """One upload, for whoever holds its secret."""

    def head(self, request: HttpRequest, upload_id: UUID, secret: str) -> HttpResponse:
        """How far it is."""
        upload = _find(upload_id, secret)
        _require_version(request)
        uploads.require_usable(upload)
        response = HttpResponse()
        response["Upload-Length"] = str(upload.length)
        if upload.metadata:
            response["Upload-Metadata"] = upload.metadata
        return _told(response, upload)

    def patch(self, request: HttpRequest, upload_id: UUID, secret: str) -> HttpResponse:
        """Add to it what the body holds, from `Upload-Offset` on."""
        upload = _find(upload_id, secret)
        _require_version(request)
        if request.content_type != BODY_TYPE:
            raise WrongMediaType(request.content_type or "", detail=f"Say Content-Type: {BODY_TYPE}.")
        offset = tus_headers.whole_number(request.headers.get("Upload-Offset"), "Upload-Offset")
        return _told(HttpResponse(status=204), tus.append(upload, _chunk(request, offset=offset)))

    def delete(self, request: HttpRequest, upload_id: UUID, secret: str) -> HttpResponse:
        """Give it up, with what came of it."""
        upload = _find(upload_id, secret)
        _require_version(request)
        uploads.require_usable(upload)
        if upload.state == UploadState.COMPLETED or not uploads.end_upload(upload):
            raise Completed()
        return HttpResponse(status=204)


class ChunkedBody:
    """A body without a length, at a server that tells its end; Django takes such a body for an empty one.

    `wsgi.input_terminated` is how servers say so: https://werkzeug.palletsprojects.com/en/stable/wsgi/
    """

    def __init__(self, request: HttpRequest) -> None:
        self._read = request.META["wsgi.input"].read

    def read(self, size: int, /) -> bytes:
        block: bytes = self._read(size)
        return block


def _find(upload_id: UUID, secret: str) -> Upload:
    upload = uploads.find_upload(upload_id, secret)
    if upload.kind != UploadKind.TUS:
        raise UploadNotFound()
    return upload


def _require_version(request: HttpRequest) -> None:
    if request.headers.get("Tus-Resumable") != VERSION:
        raise VersionMismatch()


def _person(request: HttpRequest) -> Any:
    """Who asks, if they may create videos: by what the API takes, or signed in to this site, with its CSRF token."""
    classes: Any = dict.fromkeys([*api_settings.DEFAULT_AUTHENTICATION_CLASSES, SessionAuthentication])
    authenticators = [one() for one in classes]
    asked = Request(request, authenticators=authenticators)
    try:
        if not asked.user.is_authenticated:
            raise NotAuthenticated()
    except (NotAuthenticated, AuthenticationFailed) as error:
        refusal: Any = error
        refusal.auth_header = authenticators[0].authenticate_header(asked)
        raise
    if not conf.create_policy()(asked.user):
        raise PermissionDenied()
    return asked.user


def _wanted(request: HttpRequest) -> tuple[str, int]:
    """The host that takes the file, and the file's length."""
    aliases = uploads.tus_aliases()
    if not aliases:
        raise InvalidRequest("no_fitting_host", attr="provider", detail="No video host takes uploads here.")
    for header in ("Upload-Defer-Length", "Upload-Concat"):
        if header in request.headers:
            raise InvalidRequest("extension_unsupported", attr=header, detail=f"{header} is not offered here.")
    length = tus_headers.whole_number(request.headers.get("Upload-Length"), "Upload-Length")
    limit = host(aliases[0]).upload_max_bytes
    if length > limit:
        raise BodyTooLarge(f"Files are limited to {limit} bytes.", code="file_too_large")
    return aliases[0], length


def _first_chunk(request: HttpRequest, length: int) -> tus.Chunk | None:
    """What the body of a creation holds; nothing unless it says so by its type."""
    if request.content_type != BODY_TYPE:
        return None
    chunk = _chunk(request, offset=0)
    if (chunk.size or 0) > length:
        raise tus.BodyTooLong()
    return chunk


def _chunk(request: HttpRequest, *, offset: int) -> tus.Chunk:
    announced = request.META.get("CONTENT_LENGTH") or None
    is_chunked = announced is None and bool(request.META.get("wsgi.input_terminated"))
    return tus.Chunk(
        offset=offset,
        stream=ChunkedBody(request) if is_chunked else request,
        size=None if announced is None else tus_headers.whole_number(announced, "Content-Length"),
        checksum=tus_headers.checksum(request.headers.get("Upload-Checksum")),
    )


def _created(upload: Upload, chunk: tus.Chunk | None) -> HttpResponse:
    """The new upload's address, also when its first bytes were refused: they can be sent again there."""
    response = HttpResponse(status=201)
    response["Location"] = tus.address(upload)
    if chunk is not None:
        try:
            upload = tus.append(upload, chunk)
        except (VideosError, StoreUnavailable):
            upload.refresh_from_db()
    return _told(response, upload)


def _told(response: HttpResponse, upload: Upload) -> HttpResponse:
    response["Upload-Offset"] = str(upload.offset)
    if upload.state == UploadState.OPEN:
        response["Upload-Expires"] = http_date(upload.expires_at.timestamp())
    return response


def _refusal(error: VideosError | APIException | StoreUnavailable) -> HttpResponse:
    """An error as `{type, errors: [{code, detail, attr}]}`."""
    if isinstance(error, StoreUnavailable):
        error = HostUnavailable(retry_after_s=BUSY_S)
    if isinstance(error, APIException):
        status, code, detail = error.status_code, str(error.get_codes()), str(error.detail)
    else:
        status, code, detail = STATUSES[type(error)], error.code, error.detail
    kind = "server_error" if status >= 500 else "validation_error" if status == 400 else "client_error"
    entry = {"code": code, "detail": detail, "attr": getattr(error, "attr", None)}
    return JsonResponse({"type": kind, "errors": [entry]}, status=status, headers=dict(_more(error)))


def _more(error: VideosError | APIException) -> Iterator[tuple[str, str]]:
    if isinstance(error, VersionMismatch):
        yield "Tus-Version", VERSION
    if isinstance(error, tus.OffsetConflict):
        yield "Upload-Offset", str(error.offset)
    if isinstance(error, VideosError) and error.retry_after_s is not None:
        yield "Retry-After", str(error.retry_after_s)
    if auth_header := getattr(error, "auth_header", None):
        yield "WWW-Authenticate", auth_header
