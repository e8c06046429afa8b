"""Uploads in parts, straight to the bucket: what this server is asked meanwhile.

Whoever holds the upload's secret may do all of it. Bucket, key and upload id are those of the upload's row, whatever a
client sends. Uppy knows two ways to ask, both served here: `signRequest` (version 6), whose S3 requests other than the
parts themselves are sent to `BucketView` instead of the bucket, so that R2's lack of signed POST does not matter; and
the addresses of its Companion (5 and 6).
"""

from typing import Any
from uuid import UUID
from xml.sax.saxutils import escape

from django.http import HttpResponse, HttpResponseBase
from django.urls import reverse
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from videos.api.errors import SpeaksErrors, handle
from videos.api.schema import errors
from videos.hosted.api.multipart_serializers import (
    NUMBERS_MAX,
    NumbersSerializer,
    PartsSerializer,
    SignedSerializer,
    SignRequestSerializer,
    UrlsSerializer,
)
from videos.hosted.api.secret_addresses import SecretAddress
from videos.hosted.models import UploadState
from videos.hosted.services.uploading import multipart
from videos.services.errors import UploadRefused

UPLOAD_ERRORS = errors(
    e404="`upload_not_found`: the address is wrong, or the file goes another way.",
    e410="`upload_over`: ended, too old, or its video was deleted; `upload_complete`.",
    e503="`host_unavailable`: the bucket does not answer.",
)
SIGN_ERRORS = UPLOAD_ERRORS | errors(e400="`part_number_invalid` with `numbers`, or a field is wrong.")
COMPLETE_ERRORS = UPLOAD_ERRORS | errors(
    e400="`parts_missing` or `parts_unequal`, with `numbers` to be sent; `size_mismatch` or `not_a_video`: it is over."
)


class MultipartView(SecretAddress, SpeaksErrors):
    authentication_classes: list[Any] = []
    permission_classes = [AllowAny]
    throttle_classes: list[Any] = []
    parser_classes = [JSONParser]

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = super().dispatch(request, *args, **kwargs)
        response.headers.setdefault("Cache-Control", "no-store")
        return response


class PartsView(MultipartView):
    @extend_schema(responses={200: PartsSerializer, **UPLOAD_ERRORS})
    def get(self, request: Request, upload_id: UUID, secret: str) -> Response:
        """Which parts have arrived: an upload goes on with the others, after a reload too."""
        upload = multipart.find(upload_id, secret)
        parts = multipart.list_parts(upload)
        body = {
            "is_complete": upload.state == UploadState.COMPLETED,
            "size": upload.length,
            "part_size": upload.part_bytes,
            "numbers": [part.number for part in parts],
            "expires_at": upload.expires_at,
        }
        return Response(PartsSerializer(body).data)

    @extend_schema(request=NumbersSerializer, responses={200: UrlsSerializer, **SIGN_ERRORS})
    def post(self, request: Request, upload_id: UUID, secret: str) -> Response:
        """Get the addresses that parts are PUT to, straight to the bucket."""
        upload = multipart.find(upload_id, secret)
        wanted = NumbersSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        urls = multipart.sign_parts(upload, wanted.validated_data["numbers"])
        return Response({"urls": {str(number): url for number, url in urls.items()}})

    @extend_schema(responses={204: OpenApiResponse(description="Given up."), **UPLOAD_ERRORS})
    def delete(self, request: Request, upload_id: UUID, secret: str) -> Response:
        """Give the upload up, with the parts that arrived. Twice is the same as once."""
        multipart.abort(multipart.find(upload_id, secret))
        return Response(status=204)


class CompleteView(MultipartView):
    @extend_schema(request=None, responses={204: OpenApiResponse(description="Taken."), **COMPLETE_ERRORS})
    def post(self, request: Request, upload_id: UUID, secret: str) -> Response:
        """All parts are sent: put them together, and prepare the video. Twice is the same as once."""
        multipart.complete(multipart.find(upload_id, secret))
        return Response(status=204)


class SignView(MultipartView):
    @extend_schema(request=SignRequestSerializer, responses={200: SignedSerializer, **SIGN_ERRORS})
    def post(self, request: Request, upload_id: UUID, secret: str) -> Response:
        """Answer Uppy's `signRequest`. Set `shouldUseMultipart: true`: one PUT of a whole file is not offered."""
        upload = multipart.find(upload_id, secret)
        asked = SignRequestSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        values = asked.validated_data
        if values["method"] == "PUT":
            number = _part_number(values.get("partNumber"))
            url = multipart.sign_parts(upload, [number])[number]
        else:
            url = request.build_absolute_uri(reverse("videos_hosted:upload-bucket", args=[upload_id, secret]))
            url += "?uploadId=" + upload.public_id.hex if "uploadId" in values else "?uploads="
        return Response({"url": url, "key": upload.public_id.hex})


@extend_schema(exclude=True)
class BucketView(MultipartView):
    """S3's own words for what is not between browser and bucket alone: begin, list, complete and abort."""

    parser_classes = []

    def get(self, request: Request, upload_id: UUID, secret: str) -> HttpResponse:
        parts = multipart.list_parts(multipart.find(upload_id, secret))
        told = (
            f"<Part><PartNumber>{part.number}</PartNumber><ETag>{escape(part.etag)}</ETag><Size>{part.size_bytes}</Size></Part>"
            for part in parts
        )
        return _xml(f"<ListPartsResult>{''.join(told)}</ListPartsResult>")

    def post(self, request: Request, upload_id: UUID, secret: str) -> HttpResponse:
        upload = multipart.find(upload_id, secret)
        name = upload.public_id.hex
        if "uploads" in request.query_params:
            multipart.require_open(upload)
            return _xml(
                f"<InitiateMultipartUploadResult><Key>{name}</Key><UploadId>{name}</UploadId>"
                "</InitiateMultipartUploadResult>"
            )
        multipart.complete(upload)
        location = escape(request.build_absolute_uri(request.path))
        return _xml(
            f"<CompleteMultipartUploadResult><Location>{location}</Location><Key>{name}</Key>"
            "</CompleteMultipartUploadResult>"
        )

    def delete(self, request: Request, upload_id: UUID, secret: str) -> HttpResponse:
        multipart.abort(multipart.find(upload_id, secret))
        return HttpResponse(status=204)

    def get_exception_handler(self) -> Any:
        def as_xml(error: Exception, context: dict[str, Any]) -> HttpResponse | None:
            answer = handle(error, context)
            if answer is None:
                return None
            first = answer.data["errors"][0]
            body = f"<Error><Code>{escape(first['code'])}</Code><Message>{escape(first['detail'])}</Message></Error>"
            return _xml(body, answer.status_code, answer.headers)

        return as_xml


class CompanionView(MultipartView):
    """https://github.com/transloadit/uppy: the addresses below `/s3` of Companion's `controllers/s3`."""

    def get_exception_handler(self) -> Any:
        def as_companion(error: Exception, context: dict[str, Any]) -> Response | None:
            answer = handle(error, context)
            if answer is not None:
                answer.data = {"error": f"s3: {answer.data['errors'][0]['detail']}"}
            return answer

        return as_companion


@extend_schema(exclude=True)
class CompanionCreateView(CompanionView):
    def post(self, request: Request, upload_id: UUID, secret: str) -> Response:
        upload = multipart.find(upload_id, secret)
        multipart.require_open(upload)
        name = upload.public_id.hex
        return Response({"key": name, "uploadId": name, "bucket": ""})


@extend_schema(exclude=True)
class CompanionUploadView(CompanionView):
    def get(self, request: Request, upload_id: UUID, secret: str, name: str) -> Response:
        parts = multipart.list_parts(multipart.find(upload_id, secret))
        return Response([{"PartNumber": part.number, "ETag": part.etag, "Size": part.size_bytes} for part in parts])

    def delete(self, request: Request, upload_id: UUID, secret: str, name: str) -> Response:
        multipart.abort(multipart.find(upload_id, secret))
        return Response({})


@extend_schema(exclude=True)
class CompanionPartView(CompanionView):
    def get(self, request: Request, upload_id: UUID, secret: str, name: str, number: int) -> Response:
        urls = multipart.sign_parts(multipart.find(upload_id, secret), [number])
        return Response({"url": urls[number], "expires": multipart.SIGNED_S})


@extend_schema(exclude=True)
class CompanionBatchView(CompanionView):
    def get(self, request: Request, upload_id: UUID, secret: str, name: str) -> Response:
        upload = multipart.find(upload_id, secret)
        numbers = _numbers(request.query_params.get("partNumbers", ""))
        urls = multipart.sign_parts(upload, numbers)
        return Response({"presignedUrls": {str(number): url for number, url in urls.items()}})


@extend_schema(exclude=True)
class CompanionCompleteView(CompanionView):
    def post(self, request: Request, upload_id: UUID, secret: str, name: str) -> Response:
        upload = multipart.find(upload_id, secret)
        multipart.complete(upload)
        location = request.build_absolute_uri(request.path)
        return Response({"location": location, "key": upload.public_id.hex, "bucket": ""})


@extend_schema(exclude=True)
class CompanionElseView(CompanionView):
    """What Companion offers beside: one POST of the whole file, and keys to the bucket."""

    def get(self, request: Request, upload_id: UUID, secret: str, name: str) -> Response:
        multipart.find(upload_id, secret)
        raise ParseError("Files are sent in parts alone: set shouldUseMultipart to true.", "parts_only")


def _part_number(number: int | None) -> int:
    if number is None:
        detail = "Files are sent in parts alone: set shouldUseMultipart to true."
        raise UploadRefused("parts_only", detail=detail)
    return number


def _numbers(text: str) -> list[int]:
    wanted = text.split(",")
    if len(wanted) > NUMBERS_MAX or not all(number.isascii() and number.isdigit() for number in wanted):
        raise ParseError(f"partNumbers are up to {NUMBERS_MAX} numbers with commas between them.", "invalid")
    return [int(number[:9]) for number in wanted]


def _xml(body: str, status: int = 200, headers: Any = None) -> HttpResponse:
    response = HttpResponse(f'<?xml version="1.0" encoding="UTF-8"?>{body}', "application/xml", status)
    if headers and "Retry-After" in headers:
        response["Retry-After"] = headers["Retry-After"]
    return response
