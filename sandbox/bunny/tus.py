"""The upload door: tus 1.0.0, signed per video, with an end (https://docs.bunny.net/stream/tus-resumable-uploads)."""

import base64
import binascii
import hashlib
import hmac
import secrets
import time
from typing import Any

from flask import Blueprint, Response, jsonify, request

from sandbox.bunny.library import BunnySandbox, UnknownVideo, VideoStatus
from sandbox.context import SandboxContext

UPLOADS = "bunny.uploads"
VERSION = "1.0.0"
READ_BYTES = 64 * 1024
HEAD_BYTES = 64
SIGNED_HEADERS = ("AuthorizationSignature", "AuthorizationExpire", "LibraryId", "VideoId")
NEEDED_METADATA = ("filetype", "title")


class Refusal(Exception):
    """An upload that is not taken, with the status and the reason."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def create_blueprint(context: SandboxContext, bunny: BunnySandbox) -> Blueprint:
    """The door at /bunny/tusupload; every request but the preflight carries the signed headers."""
    blueprint = Blueprint("bunny_tus", __name__, url_prefix="/bunny/tusupload")

    @blueprint.post("")
    def create() -> Response:
        video = _authorised(context, bunny)
        missing = [name for name in NEEDED_METADATA if not _metadata().get(name)]
        if missing:
            raise Refusal(400, f"Upload-Metadata lacks {', '.join(missing)}")
        if video["status"] != VideoStatus.CREATED:
            raise Refusal(400, "This video has a file already")
        key = secrets.token_hex(16)
        upload = {"key": key, "guid": video["guid"], "length": _number("Upload-Length"), "offset": 0, "head": ""}
        context.store.put(UPLOADS, key, upload)
        return Response(status=201, headers={"Location": f"{context.base_url}/bunny/tusupload/{key}"})

    @blueprint.route("/<key>", methods=["GET", "HEAD"])
    def head(key: str) -> Response:
        upload = _upload(context, bunny, key)
        headers = {"Upload-Offset": str(upload["offset"]), "Upload-Length": str(upload["length"])}
        return Response(status=200, headers=headers | {"Cache-Control": "no-store"})

    @blueprint.patch("/<key>")
    def patch(key: str) -> Response:
        upload = _upload(context, bunny, key)
        if request.mimetype != "application/offset+octet-stream":
            raise Refusal(415, "Content-Type must be application/offset+octet-stream")
        if _number("Upload-Offset") != upload["offset"]:
            raise Refusal(409, f"Upload-Offset must be {upload['offset']}")
        if upload["offset"] + (request.content_length or 0) > upload["length"]:
            raise Refusal(413, "The chunk reaches beyond Upload-Length")
        _append(context, upload)
        if upload["offset"] == upload["length"]:
            head = bytes.fromhex(upload["head"])
            bunny.receive_file(upload["guid"], size_bytes=upload["length"], head=head)
        return Response(status=204, headers={"Upload-Offset": str(upload["offset"])})

    @blueprint.route("", methods=["OPTIONS"], provide_automatic_options=False)
    @blueprint.route("/<key>", methods=["OPTIONS"], provide_automatic_options=False)
    def preflight(key: str = "") -> Response:
        return Response(status=204, headers={"Tus-Version": VERSION, "Tus-Extension": "creation"})

    @blueprint.errorhandler(Refusal)
    def refuse(error: Refusal) -> Response:
        answer = jsonify({"success": False, "message": str(error), "statusCode": error.status})
        answer.status_code = error.status
        return answer

    @blueprint.errorhandler(UnknownVideo)
    def unknown(error: UnknownVideo) -> Response:
        return refuse(Refusal(404, "Not Found"))

    @blueprint.after_request
    def open_to_browsers(response: Response) -> Response:
        names = ", ".join([*SIGNED_HEADERS, "Content-Type", "Tus-Resumable"])
        response.headers["Tus-Resumable"] = VERSION
        response.headers["Access-Control-Allow-Origin"] = "*"
        response.headers["Access-Control-Allow-Methods"] = "POST, HEAD, PATCH, OPTIONS"
        response.headers["Access-Control-Allow-Headers"] = f"{names}, Upload-Offset, Upload-Length, Upload-Metadata"
        response.headers["Access-Control-Expose-Headers"] = "Location, Upload-Offset, Upload-Length, Tus-Resumable"
        return response

    return blueprint


def signature(context: SandboxContext, expires: str, guid: str) -> str:
    """SHA-256, in lowercase hex, of library id, API key, end and video id, one after the other."""
    config = context.config
    return hashlib.sha256(f"{config.bunny_library_id}{config.bunny_api_key}{expires}{guid}".encode()).hexdigest()


def _authorised(context: SandboxContext, bunny: BunnySandbox) -> dict[str, Any]:
    if request.headers.get("Tus-Resumable") != VERSION:
        raise Refusal(412, f"Tus-Resumable must be {VERSION}")
    sent = {name: request.headers.get(name, "") for name in SIGNED_HEADERS}
    expires, guid = sent["AuthorizationExpire"], sent["VideoId"]
    is_signed = hmac.compare_digest(sent["AuthorizationSignature"].encode(), signature(context, expires, guid).encode())
    if not is_signed or sent["LibraryId"] != context.config.bunny_library_id:
        raise Refusal(401, "Invalid signature")
    if not expires.isdecimal() or int(expires) < time.time():
        raise Refusal(401, "The signature has expired")
    return bunny.find(guid)


def _upload(context: SandboxContext, bunny: BunnySandbox, key: str) -> dict[str, Any]:
    video = _authorised(context, bunny)
    upload = context.store.get(UPLOADS, key)
    if upload is None or upload["guid"] != video["guid"]:
        raise Refusal(404, "Unknown upload")
    return upload


def _append(context: SandboxContext, upload: dict[str, Any]) -> None:
    """Count what arrives and keep its first bytes, however the request ends."""
    head = bytes.fromhex(upload["head"])
    try:
        while piece := request.stream.read(READ_BYTES):
            head = (head + piece)[:HEAD_BYTES]
            upload["offset"] += len(piece)
    finally:
        upload["head"] = head.hex()
        context.store.put(UPLOADS, upload["key"], upload)


def _number(name: str) -> int:
    text = request.headers.get(name, "")
    if not text.isascii() or not text.isdecimal():
        raise Refusal(400, f"{name} must be a whole number of bytes")
    return int(text)


def _metadata() -> dict[str, str]:
    pairs: dict[str, str] = {}
    for pair in filter(None, request.headers.get("Upload-Metadata", "").split(",")):
        name, _, value = pair.strip().partition(" ")
        try:
            pairs[name] = base64.b64decode(value, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError) as error:
            raise Refusal(400, f"Upload-Metadata: {name} is not base64") from error
    return pairs
