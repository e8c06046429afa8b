"""The resumable upload door: tus 1.0.0 with the service's own rules for chunks
(https://tus.io/protocols/resumable-upload, https://developers.cloudflare.com/stream/uploading-videos/resumable-uploads/)."""

import base64
import binascii
from typing import Any

from flask import Blueprint, Response, request

from sandbox.cloudflare import editing
from sandbox.cloudflare.envelope import BAD_REQUEST, TOO_LARGE, Refusal, bad_request
from sandbox.cloudflare.stand_in import CloudflareSandbox
from sandbox.cloudflare.uploads import TUS, Busy
from sandbox.context import SandboxContext

VERSION = "1.0.0"
LARGEST_FILE_BYTES = 30 * 10**9
SMALLEST_CHUNK_BYTES, LARGEST_CHUNK_BYTES, CHUNK_MULTIPLE_BYTES = 5_242_880, 209_715_200, 262_144
READ_BYTES = 64 * 1024
EXPOSED = (
    "Location, Upload-Offset, Upload-Length, Tus-Resumable, Tus-Version, Tus-Max-Size, Tus-Extension, Stream-Media-Id"
)
SERVER_MEDIA = "/accounts/<account_id>/media/<key>"


def create(context: SandboxContext, cloudflare: CloudflareSandbox) -> Response:
    """Reserve a resumable upload; `direct_user=true` makes its address one for a browser. Raises Refusal."""
    _require_version()
    length = _number("Upload-Length")
    if length > LARGEST_FILE_BYTES:
        raise Refusal(413, TOO_LARGE, f"The file is larger than {LARGEST_FILE_BYTES} bytes")
    values = editing.from_tus(_metadata(), request.headers.get("Upload-Creator"))
    cloudflare.library.require_room()
    video = cloudflare.library.add(**values)
    key = cloudflare.uploads.open(TUS, video["uid"], expires_at=values["upload_expiry"], length=length)
    address = f"{context.base_url}/cloudflare/tus/{key}"
    if request.args.get("direct_user") != "true":
        account = context.config.cloudflare_account_id
        address = f"{context.base_url}/cloudflare/client/v4/accounts/{account}/media/{key}?tusv2=true"
    headers = {"Location": address, "stream-media-id": video["uid"], "Tus-Resumable": VERSION}
    return Response(status=201, headers=headers)


def create_blueprint(context: SandboxContext, cloudflare: CloudflareSandbox) -> Blueprint:
    """The browser's door at /cloudflare/tus/."""
    blueprint = Blueprint("cloudflare_tus", __name__, url_prefix="/cloudflare/tus")

    @blueprint.route("/<key>", methods=["GET", "HEAD"], provide_automatic_options=False)
    def head(key: str) -> Response:
        return _head(cloudflare, key)

    @blueprint.patch("/<key>", provide_automatic_options=False)
    def patch(key: str) -> Response:
        return _patch(cloudflare, key)

    @blueprint.route("/<key>", methods=["OPTIONS"], provide_automatic_options=False)
    def preflight(key: str) -> Response:
        headers = {"Tus-Version": VERSION, "Tus-Max-Size": str(LARGEST_FILE_BYTES), "Tus-Extension": "expiration"}
        return Response(status=204, headers=headers)

    @blueprint.errorhandler(Refusal)
    def refuse(error: Refusal) -> Response:
        return error.answer()

    @blueprint.after_request
    def open_to_browsers(response: Response) -> Response:
        response.headers["Tus-Resumable"] = VERSION
        response.headers["Access-Control-Allow-Origin"] = "*"
        response.headers["Access-Control-Allow-Methods"] = "HEAD, PATCH, OPTIONS"
        response.headers["Access-Control-Allow-Headers"] = "Tus-Resumable, Upload-Offset, Upload-Length, Content-Type"
        response.headers["Access-Control-Expose-Headers"] = EXPOSED
        response.headers["Access-Control-Max-Age"] = "86400"
        return response

    return blueprint


def add_server_routes(blueprint: Blueprint, cloudflare: CloudflareSandbox) -> None:
    """The same door inside the API, for whoever holds its token."""

    @blueprint.route(SERVER_MEDIA, methods=["HEAD"])
    def head(key: str) -> Response:
        return _head(cloudflare, key)

    @blueprint.patch(SERVER_MEDIA)
    def patch(key: str) -> Response:
        return _patch(cloudflare, key)


def _head(cloudflare: CloudflareSandbox, key: str) -> Response:
    _require_version()
    upload = _open_upload(cloudflare, key)
    headers = {
        "Upload-Offset": str(cloudflare.uploads.offset(upload)),
        "Upload-Length": str(upload["length"]),
        "Cache-Control": "no-store",
        "Tus-Resumable": VERSION,
    }
    return Response(status=200, headers=headers)


def _patch(cloudflare: CloudflareSandbox, key: str) -> Response:
    _require_version()
    if request.mimetype != "application/offset+octet-stream":
        raise Refusal(415, BAD_REQUEST, "Content-Type must be application/offset+octet-stream")
    try:
        with cloudflare.uploads.alone(key):
            upload = _open_upload(cloudflare, key)
            offset = _append(cloudflare, upload)
            if offset == upload["length"] and not upload["is_done"]:
                cloudflare.uploads.finish(upload)
    except Busy as error:
        raise Refusal(423, BAD_REQUEST, "The upload is in use by another request") from error
    return Response(status=204, headers={"Upload-Offset": str(offset), "Tus-Resumable": VERSION})


def _append(cloudflare: CloudflareSandbox, upload: dict[str, Any]) -> int:
    """Write what arrives behind what is there, and keep it however the request ends; gives the new offset."""
    offset = cloudflare.uploads.offset(upload)
    if _number("Upload-Offset") != offset:
        raise Refusal(409, BAD_REQUEST, f"Upload-Offset must be {offset}")
    _check_chunk(offset, upload["length"])
    if upload["is_done"]:
        return offset
    with cloudflare.library.file_of(upload["uid"]).open("ab") as file:
        while piece := request.stream.read(READ_BYTES):
            file.write(piece)
            file.flush()
            offset += len(piece)
    return offset


def _check_chunk(offset: int, length: int) -> None:
    size = request.content_length
    if size is None:
        raise Refusal(411, BAD_REQUEST, "Content-Length is required")
    if offset + size > length:
        raise Refusal(413, TOO_LARGE, "The chunk reaches beyond Upload-Length")
    if size > LARGEST_CHUNK_BYTES:
        raise Refusal(413, TOO_LARGE, f"A chunk has at most {LARGEST_CHUNK_BYTES} bytes")
    if offset + size == length:
        return
    if size < SMALLEST_CHUNK_BYTES:
        raise bad_request(f"a chunk that is not the last has at least {SMALLEST_CHUNK_BYTES} bytes")
    if size % CHUNK_MULTIPLE_BYTES:
        raise bad_request(f"a chunk that is not the last is a multiple of {CHUNK_MULTIPLE_BYTES} bytes")


def _open_upload(cloudflare: CloudflareSandbox, key: str) -> dict[str, Any]:
    upload = cloudflare.uploads.find(TUS, key)
    if cloudflare.uploads.has_expired(upload) and not upload["is_done"]:
        raise Refusal(410, BAD_REQUEST, "The upload has expired")
    return upload


def _require_version() -> None:
    if request.headers.get("Tus-Resumable") != VERSION:
        raise Refusal(412, BAD_REQUEST, f"Tus-Resumable must be {VERSION}", Tus_Version=VERSION)


def _number(name: str) -> int:
    text = request.headers.get(name, "")
    if not text.isascii() or not text.isdecimal():
        raise bad_request(f"{name} must be a whole number of bytes")
    return int(text)


def _metadata() -> dict[str, str]:
    """The pairs of Upload-Metadata; a name alone is a flag and has no value."""
    pairs: dict[str, str] = {}
    for pair in filter(None, request.headers.get("Upload-Metadata", "").split(",")):
        name, _, value = pair.strip().partition(" ")
        try:
            pairs[name] = base64.b64decode(value, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError) as error:
            raise bad_request(f"Upload-Metadata: {name} is not base64") from error
    return pairs
