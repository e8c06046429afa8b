"""What keeps many videos in order: tags and folders (https://www.vdocipher.com/docs/server/videomanagement/)."""

import secrets
from typing import Any

from flask import Blueprint, Response, jsonify, request

from sandbox.context import SandboxContext
from sandbox.vdocipher.errors import BadRequest, UnknownThing
from sandbox.vdocipher.library import VIDEOS, Library

FOLDERS = "vdocipher.folders"
ROOT = "root"

Record = dict[str, Any]


def add_routes(blueprint: Blueprint, context: SandboxContext, library: Library) -> None:
    _add_tag_routes(blueprint, context, library)
    _add_folder_routes(blueprint, context)


def _add_tag_routes(blueprint: Blueprint, context: SandboxContext, library: Library) -> None:
    @blueprint.get("/videos/tags", strict_slashes=False)
    def list_tags() -> Response:
        return jsonify({"rows": sorted({tag for video in library.newest_first() for tag in video["tags"] or ()})})

    @blueprint.post("/videos/tags", strict_slashes=False)
    def add_tags() -> Response:
        """Add to the tags that the videos have."""
        return _tag(keeps=True)

    @blueprint.put("/videos/tags", strict_slashes=False)
    def replace_tags() -> Response:
        """Replace the tags of the videos; an empty list clears them."""
        return _tag(keeps=False)

    def _tag(*, keeps: bool) -> Response:
        body = _body()
        ids, tags = _texts(body, "videos"), _texts(body, "tags")
        with context.store.lock:
            for video in [library.find(video_id) for video_id in ids]:
                former = list(video["tags"] or ()) if keeps else []
                library.change(video["id"], tags=list(dict.fromkeys(former + tags)) or None)
        return jsonify({"message": "Done"})


def _add_folder_routes(blueprint: Blueprint, context: SandboxContext) -> None:
    @blueprint.get("/videos/folders/<folder_id>", strict_slashes=False)
    def show_folder(folder_id: str) -> Response:
        folder = _find(context, folder_id)
        children = [_shown(context, child) for child in _children(context, folder_id)]
        parent = _shown(context, _find(context, folder["parent"])) if folder["parent"] else None
        return jsonify({"folderList": children, "current": _shown(context, folder), "parent": parent})

    @blueprint.post("/videos/folders", strict_slashes=False)
    def create_folder() -> Response:
        body = _body()
        parent = str(body.get("parent") or ROOT)
        _find(context, parent)
        folder = {"id": secrets.token_hex(16), "name": _name(body), "parent": parent}
        context.store.put(FOLDERS, folder["id"], folder)
        return jsonify(_shown(context, folder))

    @blueprint.put("/videos/folders/<folder_id>", strict_slashes=False)
    def rename_folder(folder_id: str) -> Response:
        folder = _find_own(context, folder_id) | {"name": _name(_body())}
        context.store.put(FOLDERS, folder_id, folder)
        return jsonify({"message": "Done"})

    @blueprint.delete("/videos/folders/<folder_id>", strict_slashes=False)
    def delete_folder(folder_id: str) -> Response:
        """Delete a folder; what is in it moves to its parent."""
        with context.store.lock:
            parent = _find_own(context, folder_id)["parent"]
            for child in _children(context, folder_id):
                context.store.put(FOLDERS, child["id"], child | {"parent": parent})
            for video in _videos(context, folder_id):
                context.store.put(VIDEOS, video["id"], video | {"folder": parent})
            context.store.delete(FOLDERS, folder_id)
        return jsonify({"message": "Done"})

    @blueprint.post("/videos/folders/search", strict_slashes=False)
    def search_folders() -> Response:
        body = _body()
        name, is_exact = _name(body), body.get("searchExact") is True
        found = [
            folder
            for folder in context.store.values(FOLDERS)
            if (folder["name"] == name if is_exact else name.lower() in folder["name"].lower())
        ]
        return jsonify({"folders": [_shown(context, folder) for folder in found]})


def _find(context: SandboxContext, folder_id: str) -> Record:
    if folder_id == ROOT:
        return {"id": ROOT, "name": ROOT, "parent": None}
    return _find_own(context, folder_id)


def _find_own(context: SandboxContext, folder_id: str) -> Record:
    folder = context.store.get(FOLDERS, folder_id)
    if folder is None:
        raise UnknownThing("Folder not found")
    return folder


def _children(context: SandboxContext, folder_id: str) -> list[Record]:
    return [folder for folder in context.store.values(FOLDERS) if folder["parent"] == folder_id]


def _videos(context: SandboxContext, folder_id: str) -> list[Record]:
    return [video for video in context.store.values(VIDEOS) if video["folder"] == folder_id]


def _shown(context: SandboxContext, folder: Record) -> Record:
    counts = {
        "videosCount": len(_videos(context, folder["id"])),
        "foldersCount": len(_children(context, folder["id"])),
    }
    return folder | counts


def _body() -> Record:
    body = request.get_json(force=True, silent=True)
    if not isinstance(body, dict):
        raise BadRequest("the body must be a JSON object")
    return body


def _name(body: Record) -> str:
    name = body.get("name")
    if not isinstance(name, str) or not name:
        raise BadRequest("name is required")
    return name


def _texts(body: Record, name: str) -> list[str]:
    values = body.get(name)
    if not isinstance(values, list) or not all(isinstance(value, str) and value for value in values):
        raise BadRequest(f"{name} must be a list of texts")
    return values
