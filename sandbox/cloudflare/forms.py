"""The upload door for browser forms: a one-time address that takes one file
(https://developers.cloudflare.com/stream/uploading-videos/direct-creator-uploads/)."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, request
from werkzeug.sansio.multipart import Data, File, MultipartDecoder

from sandbox.cloudflare.envelope import NOT_A_VIDEO, TOO_LARGE, Refusal, bad_request
from sandbox.cloudflare.stand_in import CloudflareSandbox
from sandbox.cloudflare.uploads import FORM, Busy
from sandbox.context import SandboxContext

LARGEST_FORM_BYTES = 200_000_000
FORM_OVERHEAD_BYTES = 64 * 1024
CHUNK_BYTES = 64 * 1024


def create_blueprint(context: SandboxContext, cloudflare: CloudflareSandbox) -> Blueprint:
    """The door at /cloudflare/upload/."""
    blueprint = Blueprint("cloudflare_forms", __name__, url_prefix="/cloudflare/upload")
    uploads = cloudflare.uploads

    @blueprint.post("/<key>", provide_automatic_options=False)
    def receive(key: str) -> Response:
        try:
            with uploads.alone(key):
                upload = uploads.find(FORM, key)
                if upload["is_done"] or uploads.has_expired(upload):
                    raise bad_request("the upload address has been used or has expired")
                _receive_video(cloudflare, upload)
        except Busy as error:
            raise bad_request("the upload address is in use") from error
        return Response(status=200)

    @blueprint.route("/<key>", methods=["OPTIONS"], provide_automatic_options=False)
    def preflight(key: str) -> Response:
        return Response(status=204)

    @blueprint.errorhandler(Refusal)
    def refuse(error: Refusal) -> Response:
        return error.answer()

    @blueprint.after_request
    def open_to_browsers(response: Response) -> Response:
        response.headers["Access-Control-Allow-Origin"] = "*"
        response.headers["Access-Control-Allow-Methods"] = "POST, OPTIONS"
        response.headers["Access-Control-Allow-Headers"] = "*"
        response.headers["Access-Control-Max-Age"] = "86400"
        return response

    return blueprint


def _receive_video(cloudflare: CloudflareSandbox, upload: dict[str, Any]) -> None:
    library = cloudflare.library
    path = library.file_of(upload["uid"])
    try:
        name = receive_form(path)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    video = library.find(upload["uid"])
    library.change(upload["uid"], meta={"name": name} | video["meta"])
    cloudflare.uploads.finish(upload)
    if library.find(upload["uid"])["outcome"] == {"error_code": "ERR_NON_VIDEO"}:
        raise Refusal(400, NOT_A_VIDEO, "The uploaded file was not recognized as a video")


def receive_form(path: Path) -> str:
    """Write the form's `file` to `path` as it streams in and give its name; raises Refusal, and leaves the file."""
    boundary = request.mimetype_params.get("boundary")
    if request.mimetype != "multipart/form-data" or not boundary:
        raise bad_request("the body must be multipart/form-data")
    if (request.content_length or 0) > LARGEST_FORM_BYTES + FORM_OVERHEAD_BYTES:
        raise _too_large()
    name: str | None = None
    is_file = False
    size = 0
    with path.open("wb") as target:
        for event in _events(MultipartDecoder(boundary.encode(), max_form_memory_size=None)):
            if isinstance(event, Data):
                if is_file:
                    target.write(event.data)
                    size += len(event.data)
                    if size > LARGEST_FORM_BYTES:
                        raise _too_large()
                continue
            is_file = isinstance(event, File) and event.name == "file" and name is None
            if isinstance(event, File) and is_file:
                name = event.filename or ""
    if name is None:
        raise bad_request("the form has no file")
    return name


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
        raise bad_request("the body is not well-formed multipart/form-data") from error


def _too_large() -> Refusal:
    return Refusal(413, TOO_LARGE, f"The file is larger than {LARGEST_FORM_BYTES} bytes; use tus")
