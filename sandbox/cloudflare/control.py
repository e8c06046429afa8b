from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, jsonify

from sandbox.cloudflare.envelope import Refusal
from sandbox.cloudflare.stand_in import CloudflareSandbox
from sandbox.control import InvalidControl, checked_fields, json_object

Answer = Response | tuple[Response, int]


def create_blueprint(cloudflare: CloudflareSandbox) -> Blueprint:
    """What fills and changes the account without uploading, under /_control/cloudflare."""
    blueprint = Blueprint("cloudflare_control", __name__, url_prefix="/_control/cloudflare")

    @blueprint.post("/videos")
    def add_video() -> Answer:
        fields = {"uid": str, "title": str, "state": str, "duration": (int, float), "creator": str}
        values = checked_fields(json_object(), fields)
        return jsonify({"uid": _checked(lambda: cloudflare.add_video(**values))}), 201

    @blueprint.post("/videos/<uid>/state")
    def set_state(uid: str) -> Answer:
        values = checked_fields(json_object(), {"state": str, "error_code": str, "pct": str, "send_hook": bool})
        if "state" not in values:
            raise InvalidControl("state: required")
        _checked(lambda: cloudflare.set_state(uid, **values))
        return jsonify({"message": "Set"})

    @blueprint.post("/videos/<uid>/hook")
    def resend_hook(uid: str) -> Answer:
        cloudflare.resend_hook(uid)
        return jsonify({"message": "Sent"})

    @blueprint.post("/quota")
    def set_quota() -> Answer:
        values = checked_fields(json_object(), {"allocated_minutes": int, "queued_limit": int})
        cloudflare.set_quota(**values)
        return jsonify(cloudflare.account.quota())

    @blueprint.post("/minutes")
    def count_minutes() -> Answer:
        values = checked_fields(json_object(), {"uid": str, "minutes": (int, float), "date": str, "country": str})
        if not {"uid", "minutes"} <= values.keys():
            raise InvalidControl("uid and minutes: required")
        cloudflare.count_minutes(**values)
        return jsonify({"message": "Added"}), 201

    @blueprint.errorhandler(Refusal)
    def refuse(error: Refusal) -> Answer:
        return jsonify({"message": error.message}), error.status

    return blueprint


def _checked(act: Callable[[], Any]) -> Any:
    try:
        return act()
    except ValueError as error:
        raise InvalidControl(str(error)) from error
