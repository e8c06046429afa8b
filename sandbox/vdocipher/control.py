from typing import Any

from flask import Blueprint, Response, jsonify

from sandbox.control import InvalidControl, json_object
from sandbox.vdocipher.library import READY, SAMPLE_LENGTH_S, Library, UnknownVideo

Answer = Response | tuple[Response, int]


def create_blueprint(library: Library) -> Blueprint:
    """What fills and changes the library without uploading, under /_control/vdocipher."""
    blueprint = Blueprint("vdocipher_control", __name__, url_prefix="/_control/vdocipher")

    @blueprint.post("/videos")
    def add_video() -> Answer:
        values = _checked(json_object(), {"id": str, "title": str, "status": str, "length": int})
        video_id = library.add(
            title=values.get("title", "Sample"),
            status=values.get("status", READY),
            length_s=values.get("length", SAMPLE_LENGTH_S),
            video_id=values.get("id"),
        )
        return jsonify({"id": video_id}), 201

    @blueprint.post("/videos/<video_id>/status")
    def set_status(video_id: str) -> Answer:
        values = _checked(json_object(), {"status": str, "send_hook": bool})
        if "status" not in values:
            raise InvalidControl("status: required")
        try:
            library.set_status(video_id, values["status"], send_hook=values.get("send_hook", True))
        except UnknownVideo:
            return jsonify({"message": "Video not found"}), 404
        return jsonify({"message": "Set"})

    @blueprint.post("/usage")
    def add_usage() -> Answer:
        values = _checked(json_object(), {"date": str, "video": str, "kb": int})
        if len(values) < 3:
            raise InvalidControl("date, video and kb: all required")
        library.count_usage(values["video"], values["kb"], values["date"])
        return jsonify({"message": "Added"}), 201

    @blueprint.post("/usage-columns")
    def give_usage_extra_columns() -> Answer:
        library.give_usage_extra_columns()
        return jsonify({"message": "Set"})

    return blueprint


def _checked(values: dict[str, Any], fields: dict[str, type]) -> dict[str, Any]:
    for name, value in values.items():
        if name not in fields:
            raise InvalidControl(f"{name}: unknown; known are {', '.join(fields)}")
        if not isinstance(value, fields[name]) or (fields[name] is int and isinstance(value, bool)):
            raise InvalidControl(f"{name}: must be {fields[name].__name__}")
    return values
