"""The upload door: an S3 bucket that takes browser forms, with its policy and signature really checked
(https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html)."""

import base64
import binascii
import hashlib
import hmac
import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from xml.sax.saxutils import escape

from flask import Blueprint, Response, request
from werkzeug.sansio.multipart import Data, Field, File, MultipartDecoder

from sandbox.context import SandboxContext
from sandbox.vdocipher.library import ENCODING_ERROR, NOT_MEDIA, READY, Library

BUCKET = "vdo-sandbox"
REGION = "ap-southeast-1"
ACCESS_KEY = "AKIASANDBOX11TUTORS0"
LARGEST_FILE_BYTES = 5 * 1024**3
POLICY_LIFETIME = timedelta(hours=1)
FORM_OVERHEAD_BYTES = 64 * 1024
CHUNK_BYTES = 256 * 1024
FIELDS_OUTSIDE_POLICY = {"policy", "x-amz-signature", "file"}
MEDIA_MARKS = (
    (0, b"\x1a\x45\xdf\xa3"),
    (4, b"ftyp"),
    (4, b"moov"),
    (4, b"mdat"),
    (0, b"RIFF"),
    (0, b"FLV"),
    (0, b"OggS"),
    (0, b"\x00\x00\x01\xba"),
    (0, b"\x00\x00\x01\xb3"),
    (0, b"\x30\x26\xb2\x75"),
    (0, b"\x47"),
)


class RefusedUpload(Exception):
    """Why the bucket does not take a form, as S3 says it."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


@dataclass
class Form:
    """What came before the file, and what the file is; the file itself is not kept."""

    fields: dict[str, str] = field(default_factory=dict)
    file_name: str | None = None
    size_bytes: int = 0
    head: bytes = b""


def ticket(context: SandboxContext, video_id: str, *, now: datetime | None = None) -> dict[str, str]:
    """The signed form fields and the address for one upload, valid for an hour."""
    now = now or datetime.now(UTC)
    date = now.strftime("%Y%m%dT%H%M%SZ")
    fields = {
        "key": f"orig/{video_id}/{secrets.token_hex(8)}",
        "x-amz-algorithm": "AWS4-HMAC-SHA256",
        "x-amz-credential": f"{ACCESS_KEY}/{date[:8]}/{REGION}/s3/aws4_request",
        "x-amz-date": date,
    }
    policy = {
        "expiration": (now + POLICY_LIFETIME).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "conditions": [
            {"bucket": BUCKET},
            *({name: value} for name, value in fields.items()),
            ["starts-with", "$success_action_status", ""],
            ["starts-with", "$success_action_redirect", ""],
            ["content-length-range", 0, LARGEST_FILE_BYTES],
        ],
    }
    encoded = base64.b64encode(json.dumps(policy).encode()).decode()
    signed = {"policy": encoded, "x-amz-signature": signature(context, encoded, fields["x-amz-credential"])}
    return fields | signed | {"uploadLink": f"{context.base_url}/vdocipher/upload/"}


def signature(context: SandboxContext, policy: str, credential: str) -> str:
    """The SigV4 signature of an encoded policy, with the bucket's secret."""
    key = b"AWS4" + bucket_secret(context)
    for scope in credential.split("/")[1:]:
        key = hmac.new(key, scope.encode(), hashlib.sha256).digest()
    return hmac.new(key, policy.encode(), hashlib.sha256).hexdigest()


def create_blueprint(context: SandboxContext, library: Library) -> Blueprint:
    """The bucket, at /vdocipher/upload/."""
    blueprint = Blueprint("vdocipher_uploads", __name__)

    @blueprint.post("/vdocipher/upload/", provide_automatic_options=False)
    def upload() -> Response:
        try:
            form = _read_form()
            _check(context, form)
        except RefusedUpload as refusal:
            return _xml(refusal.status, _error(refusal))
        key = form.fields["key"]
        library.receive_file(key.split("/")[1], size_bytes=form.size_bytes, becomes=outcome_of(form.head))
        return _accepted(context, form.fields, key)

    @blueprint.route("/vdocipher/upload/", methods=["OPTIONS"], provide_automatic_options=False)
    def preflight() -> Response:
        return _open_to_browsers(Response(status=200))

    return blueprint


def outcome_of(head: bytes) -> str:
    """The status that a file of this beginning gets after encoding."""
    if head.startswith((b"GIF87a", b"GIF89a")):
        return ENCODING_ERROR
    is_media = any(head[at : at + len(mark)] == mark for at, mark in MEDIA_MARKS)
    return READY if is_media else NOT_MEDIA


def bucket_secret(context: SandboxContext) -> bytes:
    return hashlib.sha256(b"bucket:" + context.config.vdocipher_api_secret.encode()).hexdigest().encode()


def _read_form() -> Form:
    """Read the form as it streams in. What follows the file is ignored, as S3 does."""
    boundary = request.mimetype_params.get("boundary")
    if request.mimetype != "multipart/form-data" or not boundary:
        raise _malformed()
    if (request.content_length or 0) > LARGEST_FILE_BYTES + FORM_OVERHEAD_BYTES:
        raise _too_large()
    form = Form()
    name = ""
    for event in _events(MultipartDecoder(boundary.encode(), max_form_memory_size=None)):
        if isinstance(event, Field | File):
            name = event.name.lower()
            if form.file_name is not None:
                break
            if name == "file":
                form.file_name = (event.filename if isinstance(event, File) else "") or ""
            else:
                form.fields[name] = ""
        elif isinstance(event, Data) and name == "file":
            form.size_bytes += len(event.data)
            form.head = (form.head + event.data[:64])[:64]
            if form.size_bytes > LARGEST_FILE_BYTES:
                raise _too_large()
        elif isinstance(event, Data):
            form.fields[name] += event.data.decode("utf-8", "replace")
    return form


def _events(decoder: MultipartDecoder) -> Iterator[Any]:
    try:
        while True:
            chunk = request.stream.read(CHUNK_BYTES)
            decoder.receive_data(chunk or None)
            while type(event := decoder.next_event()).__name__ not in ("NeedData", "Epilogue"):
                yield event
            if not chunk:
                return
    except ValueError as error:
        raise _malformed() from error


def _check(context: SandboxContext, form: Form) -> None:
    fields = form.fields
    if form.file_name is None:
        raise RefusedUpload(400, "InvalidArgument", "POST requires exactly one file upload per request.")
    for name in ("key", "policy", "x-amz-signature", "x-amz-credential", "x-amz-algorithm", "x-amz-date"):
        if name not in fields:
            raise RefusedUpload(400, "InvalidArgument", f"Bucket POST must contain a field named '{name}'.")
    if not fields["x-amz-credential"].startswith(f"{ACCESS_KEY}/"):
        message = "The AWS Access Key Id you provided does not exist in our records."
        raise RefusedUpload(403, "InvalidAccessKeyId", message)
    expected = signature(context, fields["policy"], fields["x-amz-credential"])
    if not hmac.compare_digest(expected.encode(), fields["x-amz-signature"].encode()):
        message = "The request signature we calculated does not match the signature you provided."
        raise RefusedUpload(403, "SignatureDoesNotMatch", message)
    _check_policy(_decoded(fields["policy"]), form)


def _decoded(policy: str) -> dict[str, Any]:
    try:
        decoded = json.loads(base64.b64decode(policy, validate=True))
    except (binascii.Error, ValueError) as error:
        raise RefusedUpload(400, "InvalidPolicyDocument", "Invalid Policy: Invalid JSON.") from error
    return dict(decoded)


def _check_policy(policy: dict[str, Any], form: Form) -> None:
    if datetime.fromisoformat(policy["expiration"]) <= datetime.now(UTC):
        raise _denied("Policy expired.")
    covered = set(FIELDS_OUTSIDE_POLICY)
    for condition in policy["conditions"]:
        if isinstance(condition, dict):
            [(name, value)] = condition.items()
            operator, name = "eq", name.lower()
        elif condition[0] == "content-length-range":
            if form.size_bytes > condition[2]:
                raise _too_large()
            continue
        else:
            operator, name, value = condition[0], condition[1].removeprefix("$").lower(), condition[2]
        covered.add(name)
        sent = BUCKET if name == "bucket" else form.fields.get(name)
        if sent is None or (sent != value if operator == "eq" else not sent.startswith(value)):
            raise _denied(f"Policy Condition failed: {json.dumps([operator, f'${name}', value])}")
    extra = sorted(name for name in form.fields if name not in covered and not name.startswith("x-ignore-"))
    if extra:
        raise _denied(f"Extra input fields: {', '.join(extra)}")


def _denied(reason: str) -> RefusedUpload:
    return RefusedUpload(403, "AccessDenied", f"Invalid according to Policy: {reason}")


def _malformed() -> RefusedUpload:
    message = "The body of your POST request is not well-formed multipart/form-data."
    return RefusedUpload(400, "MalformedPOSTRequest", message)


def _too_large() -> RefusedUpload:
    return RefusedUpload(400, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size")


def _accepted(context: SandboxContext, fields: dict[str, str], key: str) -> Response:
    location = f"{context.base_url}/vdocipher/upload/{key}"
    if redirect := fields.get("success_action_redirect"):
        return _open_to_browsers(Response(status=303, headers={"Location": redirect}))
    if fields.get("success_action_status") != "201":
        return _open_to_browsers(Response(status=204, headers={"Location": location}))
    body = (
        f"<PostResponse><Location>{escape(location)}</Location><Bucket>{BUCKET}</Bucket>"
        f'<Key>{escape(key)}</Key><ETag>"{secrets.token_hex(16)}"</ETag></PostResponse>'
    )
    response = _xml(201, body)
    response.headers["Location"] = location
    return response


def _error(refusal: RefusedUpload) -> str:
    return f"<Error><Code>{refusal.code}</Code><Message>{escape(refusal.message)}</Message></Error>"


def _xml(status: int, body: str) -> Response:
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n{body}'
    return _open_to_browsers(Response(text, status=status, content_type="application/xml"))


def _open_to_browsers(response: Response) -> Response:
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Access-Control-Allow-Methods"] = "POST"
    response.headers["Access-Control-Allow-Headers"] = "*"
    response.headers["Access-Control-Expose-Headers"] = "ETag, Location"
    return response
