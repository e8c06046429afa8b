"""VdoCipher's server API, version 3, with the answers its clients see (https://www.vdocipher.com/docs/server/)."""

import hmac
import re
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Response, jsonify, request

from sandbox.context import SandboxContext
from sandbox.vdocipher import files, hooks, order, otp, uploads
from sandbox.vdocipher.errors import BadRequest, UnknownThing
from sandbox.vdocipher.library import (
    ENCODING_ERROR,
    NOT_MEDIA,
    PRE_UPLOAD,
    READY,
    Library,
    UnknownVideo,
)

Answer = Response | tuple[Response, int]

LONGEST_PAGE = 40
DEFAULT_PAGE = 20
POSTER_HEIGHTS = (240, 360, 480)
IMPORT_SCHEMES = ("http", "https", "ftp")
DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


def create_blueprint(context: SandboxContext, library: Library) -> Blueprint:
    """The API at /vdocipher/api."""
    blueprint = Blueprint("vdocipher_api", __name__, url_prefix="/vdocipher/api")

    @blueprint.before_request
    def authenticate() -> Answer | None:
        if (request.endpoint or "").endswith(".meta"):
            return None
        scheme, _, key = request.headers.get("Authorization", "").partition(" ")
        if scheme != "Apisecret" or not key.strip():
            return _message("Bad formatting of Authorization header", 401)
        if not hmac.compare_digest(key.strip().encode(), context.config.vdocipher_api_secret.encode()):
            return _message("Unauthorized", 403)
        return None

    @blueprint.errorhandler(UnknownVideo)
    def unknown(error: UnknownVideo) -> Answer:
        return _message("Video not found", 404)

    @blueprint.errorhandler(UnknownThing)
    def unknown_part(error: UnknownThing) -> Answer:
        return _message(str(error), 404)

    @blueprint.errorhandler(BadRequest)
    @blueprint.errorhandler(otp.RefusedOtp)
    def refuse(error: Exception) -> Answer:
        return _message(str(error), 400)

    _add_video_routes(blueprint, context, library)
    _add_list_routes(blueprint, context, library)
    _add_account_routes(blueprint, context, library)
    files.add_routes(blueprint, context, library)
    order.add_routes(blueprint, context, library)
    return blueprint


def meta_of(context: SandboxContext, video: dict[str, Any]) -> dict[str, Any]:
    """The public description of a video, which the player uses too."""
    posters = [{"url": poster["posterUrl"], "height": poster["height"]} for poster in _posters(context, video)]
    return {"title": video["title"], "duration": video["length"], "aspectRatio": 1.77778, "posters": posters}


def _add_video_routes(blueprint: Blueprint, context: SandboxContext, library: Library) -> None:
    @blueprint.get("/videos/<video_id>", strict_slashes=False)
    def retrieve(video_id: str) -> Response:
        return jsonify(_video(context, library.find(video_id)))

    @blueprint.post("/videos/<video_id>", strict_slashes=False)
    def rename(video_id: str) -> Answer:
        body = _body()
        title = body.get("title", "")
        if not isinstance(title, str) or not title:
            raise BadRequest("title is required")
        library.change(video_id, title=title)
        return _message("Successfully updated")

    @blueprint.post("/videos/<video_id>/otp", strict_slashes=False)
    def issue_otp(video_id: str) -> Response:
        video = library.find(video_id)
        return jsonify(otp.issue(context, video, request.get_json(force=True, silent=True)))

    @blueprint.get("/meta/<video_id>", strict_slashes=False)
    def meta(video_id: str) -> Response:
        response = jsonify(meta_of(context, library.find(video_id)))
        response.headers["Access-Control-Allow-Origin"] = "*"
        return response


def _add_list_routes(blueprint: Blueprint, context: SandboxContext, library: Library) -> None:
    @blueprint.get("/videos", strict_slashes=False)
    def list_videos() -> Response:
        found = _filtered(library.newest_first())
        page = _positive("page", 1)
        limit = min(_positive("limit", DEFAULT_PAGE), LONGEST_PAGE)
        rows = found[(page - 1) * limit : page * limit]
        return jsonify({"count": len(found), "rows": [_video(context, video) for video in rows]})

    @blueprint.put("/videos", strict_slashes=False)
    def create() -> Response:
        title = request.args.get("title", "")
        if not title:
            raise BadRequest("title is required")
        folder = request.args.get("folderId") or "root"
        video_id = library.add(title=title, status=PRE_UPLOAD, length_s=0, folder=folder)
        return jsonify({"clientPayload": uploads.ticket(context, video_id), "videoId": video_id})

    @blueprint.put("/videos/importUrl", strict_slashes=False)
    def import_url() -> Response:
        body = _body()
        parts = urlsplit(str(body.get("url", "")))
        if parts.scheme not in IMPORT_SCHEMES or not parts.netloc:
            raise BadRequest("url must be a http, https or ftp address")
        title = str(body.get("title") or parts.path.rpartition("/")[2] or parts.netloc)
        video_id = library.add(title=title, status=PRE_UPLOAD, length_s=0, folder=str(body.get("folderId") or "root"))
        library.receive_file(video_id, size_bytes=0, becomes=_outcome_by_name(parts.path))
        return jsonify({"id": video_id})

    @blueprint.delete("/videos", strict_slashes=False)
    def delete() -> Response:
        ids = [video_id for video_id in request.args.get("videos", "").split(",") if video_id]
        if not ids:
            raise BadRequest("videos is required")
        return jsonify({"code": 200, "message": f"Successfully deleted {library.delete(ids)} videos"})


def _add_account_routes(blueprint: Blueprint, context: SandboxContext, library: Library) -> None:
    @blueprint.get("/hooks", strict_slashes=False)
    def list_hooks() -> Response:
        return jsonify(context.store.values(hooks.HOOKS))

    @blueprint.post("/hooks", strict_slashes=False)
    def create_hook() -> Response:
        body = _body()
        url, event = str(body.get("value", "")), body.get("event")
        if body.get("type") != "http" or urlsplit(url).scheme not in ("http", "https"):
            raise BadRequest("type must be http and value a http or https address")
        if event not in hooks.EVENTS:
            raise BadRequest(f"event must be one of {', '.join(hooks.EVENTS)}")
        return jsonify(hooks.register(context, url=url, event=event, status=int(body.get("status", 1) == 1)))

    @blueprint.delete("/hooks", strict_slashes=False)
    def delete_hook() -> Answer:
        uuid = str(_body().get("uuid", ""))
        if context.store.get(hooks.HOOKS, uuid) is None:
            return _message("Hook not found", 404)
        context.store.delete(hooks.HOOKS, uuid)
        return _message("Deleted")

    @blueprint.post("/account/video-usage", strict_slashes=False)
    def video_usage() -> Response:
        date = str(_body().get("date", ""))
        if not DATE.fullmatch(date):
            raise BadRequest("date must be YYYY-MM-DD")
        return Response(_usage_table(library, date), content_type="text/csv; charset=utf-8")


def _usage_table(library: Library, date: str) -> str:
    """Kilobytes by video, in the columns of the documents or in those that clients of the service have met."""
    rows = library.usage(date)
    if library.usage_has_extra_columns:
        lines = ["date,video_id,title,bandwidth", *(f"{date},{video_id},,{kb}" for video_id, kb in rows)]
        return "".join(f"{line}\r\n" for line in lines)
    return "".join(f"{line}\n" for line in ["video,bandwidth", *(f"{video_id},{kb}" for video_id, kb in rows)])


def _video(context: SandboxContext, video: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": video["id"],
        "title": video["title"],
        "description": "",
        "upload_time": video["upload_time"],
        "length": video["length"],
        "status": video["status"],
        "public": 0,
        "whitelisthref": None,
        "ipGeoRules": None,
        "posters": _posters(context, video),
        "tags": video["tags"],
        "totalSizeBytes": video["size_bytes"],
    }


def _posters(context: SandboxContext, video: dict[str, Any]) -> list[dict[str, Any]]:
    if video["status"] != READY:
        return []
    address = f"{context.base_url}/vdocipher/posters/{video['id']}"
    return [
        {"width": height * 16 // 9, "height": height, "posterUrl": f"{address}.{height}.jpeg"}
        for height in POSTER_HEIGHTS
    ]


def _filtered(videos: list[dict[str, Any]]) -> list[dict[str, Any]]:
    wanted_tags = {tag for tag in request.args.get("tags", "").split(",") if tag}
    text = request.args.get("q", "").lower()
    folder = request.args.get("folderId")
    return [
        video
        for video in videos
        if wanted_tags <= set(video["tags"] or ())
        and (text in video["title"].lower() or text in video["id"])
        and folder in (None, "", video["folder"])
    ]


def _positive(name: str, default: int) -> int:
    text = request.args.get(name, "")
    if not text:
        return default
    if not text.isdecimal() or int(text) < 1:
        raise BadRequest(f"{name} must be a positive number")
    return int(text)


def _body() -> dict[str, Any]:
    body = request.get_json(force=True, silent=True)
    if not isinstance(body, dict):
        raise BadRequest("the body must be a JSON object")
    return body


def _outcome_by_name(path: str) -> str:
    """The sandbox fetches nothing from elsewhere: the name's ending stands for the content."""
    if path.lower().endswith(".gif"):
        return ENCODING_ERROR
    return NOT_MEDIA if path.lower().endswith((".txt", ".html", ".pdf", ".jpg", ".png", ".zip")) else READY


def _message(text: str, status: int = 200) -> Answer:
    return jsonify({"message": text}), status
