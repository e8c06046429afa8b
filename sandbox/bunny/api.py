"""The API of one library, with the library's own key (https://docs.bunny.net/stream/api-reference)."""

import hmac
from typing import Any

from flask import Blueprint, Response, jsonify, request

from sandbox.bunny.library import BunnySandbox, UnknownVideo, VideoStatus
from sandbox.context import SandboxContext

Answer = Response | tuple[Response, int]
LONGEST_PAGE = 1000


def create_blueprint(context: SandboxContext, bunny: BunnySandbox) -> Blueprint:
    """The API at /bunny/library/<id>/videos."""
    library_id = context.config.bunny_library_id
    blueprint = Blueprint("bunny_api", __name__, url_prefix=f"/bunny/library/{library_id}/videos")

    @blueprint.before_request
    def authenticate() -> Answer | None:
        key = request.headers.get("AccessKey", "")
        if not hmac.compare_digest(key.encode(), context.config.bunny_api_key.encode()):
            return _said("Authentication has been denied for this request.", 401)
        return None

    @blueprint.errorhandler(UnknownVideo)
    def unknown(error: UnknownVideo) -> Answer:
        return _said("Not Found", 404)

    @blueprint.get("", strict_slashes=False)
    def list_videos() -> Response:
        size = min(max(request.args.get("itemsPerPage", 100, type=int), 1), LONGEST_PAGE)
        found = bunny.all()[::-1]
        items = [_shown(library_id, video) for video in found[:size]]
        return jsonify({"totalItems": len(found), "currentPage": 1, "itemsPerPage": size, "items": items})

    @blueprint.post("", strict_slashes=False)
    def create() -> Answer:
        title = _title()
        if not title:
            return _said("The Title field is required.", 400)
        guid = bunny.add_video(title=title, status=VideoStatus.CREATED)
        return jsonify(_shown(library_id, bunny.find(guid)))

    @blueprint.get("/<guid>")
    def retrieve(guid: str) -> Response:
        return jsonify(_shown(library_id, bunny.find(guid)))

    @blueprint.post("/<guid>")
    def update(guid: str) -> Answer:
        bunny.find(guid)
        if title := _title():
            bunny.change(guid, title=title)
        return _said("OK", 200)

    @blueprint.delete("/<guid>")
    def delete(guid: str) -> Answer:
        bunny.delete(guid)
        return _said("OK", 200)

    return blueprint


def _shown(library_id: str, video: dict[str, Any]) -> dict[str, Any]:
    return {
        "videoLibraryId": int(library_id),
        "guid": video["guid"],
        "title": video["title"],
        "dateUploaded": video["uploaded_at"],
        "length": video["length"],
        "status": video["status"],
        "encodeProgress": video["encode_progress"],
        "storageSize": video["storage_size"],
        "availableResolutions": "240p,360p" if video["status"] == VideoStatus.FINISHED else None,
        "captions": [],
        "thumbnailFileName": "thumbnail.jpg",
        "transcodingMessages": [],
    }


def _title() -> str:
    body = request.get_json(force=True, silent=True)
    title = body.get("title") if isinstance(body, dict) else None
    return title if isinstance(title, str) else ""


def _said(message: str, status: int) -> Answer:
    return jsonify({"success": status < 400, "message": message, "statusCode": status}), status
