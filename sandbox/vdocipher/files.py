"""What belongs to a video besides its film: captions and poster
(https://www.vdocipher.com/docs/server/videomanagement/files/)."""

from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, Response, jsonify, request

from sandbox.context import SandboxContext
from sandbox.vdocipher.errors import BadRequest, UnknownThing
from sandbox.vdocipher.library import PRE_UPLOAD, QUEUED, Library

FILES = "vdocipher.files"
COUNTERS = "vdocipher.counters"
FIRST_FILE_ID = 12_090_000
CAPTION_MAX_BYTES = 2 * 1000**2
POSTER_HEIGHTS = (240, 360, 480)
PICTURE_FORMATS = {b"\xff\xd8\xff": "jpeg", b"\x89PN": "png"}
WEBVTT = b"WEBVTT"
BOM = b"\xef\xbb\xbf"

Record = dict[str, Any]


def add_routes(blueprint: Blueprint, context: SandboxContext, library: Library) -> None:
    """List, add and delete under /videos/<id>/files."""

    @blueprint.get("/videos/<video_id>/files", strict_slashes=False)
    def list_files(video_id: str) -> Response:
        library.find(video_id)
        return jsonify([_shown(file) for file in files_of(context, video_id)])

    @blueprint.post("/videos/<video_id>/files", strict_slashes=False)
    def add_file(video_id: str) -> Response:
        """A caption when there is a language, else a poster."""
        video = library.find(video_id)
        if video["status"] in (PRE_UPLOAD, QUEUED):
            raise BadRequest("Video is not ready")
        upload = request.files.get("file")
        if upload is None:
            raise BadRequest("file is required")
        with upload.stream:
            content = upload.stream.read(CAPTION_MAX_BYTES + 1)
        if len(content) > CAPTION_MAX_BYTES:
            raise BadRequest("file is too large")
        if language := request.args.get("language", ""):
            return jsonify(_add_caption(context, video_id, language, upload.filename or "", content))
        return jsonify(_add_posters(context, video_id, content))

    @blueprint.get("/videos/<video_id>/files/<int:file_id>", strict_slashes=False)
    def download(video_id: str, file_id: int) -> Response:
        return Response(_find(context, video_id, file_id)["text"], content_type="text/vtt; charset=utf-8")

    @blueprint.delete("/videos/<video_id>/files/<int:file_id>", strict_slashes=False)
    def delete_file(video_id: str, file_id: int) -> Response:
        _find(context, video_id, file_id)
        context.store.delete(FILES, str(file_id))
        return jsonify({"message": "Deleted"})


def files_of(context: SandboxContext, video_id: str) -> list[Record]:
    """The files of one video as they are kept, oldest first."""
    return [file for file in context.store.values(FILES) if file["video"] == video_id]


def _add_caption(context: SandboxContext, video_id: str, language: str, name: str, content: bytes) -> Record:
    """Another caption, also of a language that has one: the API tells nowhere that it replaces any."""
    if len(language) != 2 or not language.isalpha():
        raise BadRequest("language must be an ISO-639-1 code")
    if not content.removeprefix(BOM).startswith(WEBVTT):
        raise BadRequest("file must be WebVTT")
    values = {"name": name, "size": len(content), "format": "vtt", "lang": language}
    file = _add(context, video_id, values | {"text": content.decode("utf-8", "replace")})
    # A size in words here, in bytes in the list.
    size = f"{max(1, file['size'] // 1000)} kB"
    return {"id": file["id"], "time": file["time"], "size": size, "lang": language}


def _add_posters(context: SandboxContext, video_id: str, content: bytes) -> list[Record]:
    kind = PICTURE_FORMATS.get(content[:3])
    if kind is None:
        raise BadRequest("file must be png or jpeg")
    added = [
        _add(
            context,
            video_id,
            {"name": f"poster.{height}.{kind}", "size": len(content), "format": kind, "height": height},
        )
        for height in POSTER_HEIGHTS
    ]
    return [
        {
            "id": file["id"],
            "format": file["format"],
            "video_height": file["height"],
            "video_width": file["height"] * 16 // 9,
            "time": file["time"],
            "size": file["size"],
        }
        for file in added
    ]


def _add(context: SandboxContext, video_id: str, values: Record) -> Record:
    with context.store.lock:
        counter = context.store.get(COUNTERS, "files") or {"next": FIRST_FILE_ID}
        context.store.put(COUNTERS, "files", {"next": counter["next"] + 1})
        moment = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        file: Record = {
            "id": counter["next"],
            "video": video_id,
            "time": moment,
            "lang": None,
            "height": None,
            **values,
        }
        context.store.put(FILES, str(file["id"]), file)
    return file


def _find(context: SandboxContext, video_id: str, file_id: int) -> Record:
    file = context.store.get(FILES, str(file_id))
    if file is None or file["video"] != video_id:
        raise UnknownThing("File not found")
    return file


def _shown(file: Record) -> Record:
    return {
        "id": file["id"],
        "name": file["name"],
        "size": file["size"],
        "time": file["time"],
        "enabled": 1,
        "format": file["format"],
        "height": file["height"],
        "width": file["height"] * 16 // 9 if file["height"] else None,
        "bitrate": None,
        "video_codec": None,
        "audio_codec": None,
        "encryption_type": None,
        "lang": file["lang"],
        "isDownloadable": True,
        "isDeletable": True,
    }
