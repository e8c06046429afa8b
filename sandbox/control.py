from dataclasses import fields
from typing import Any

from flask import Blueprint, Response, jsonify, render_template, request

from sandbox.calls import Calls
from sandbox.context import SandboxContext, WebhookTargets
from sandbox.faults import InvalidFault

Answer = Response | tuple[Response, int]
TARGETS = tuple(target.name for target in fields(WebhookTargets))


class InvalidControl(ValueError):
    """A control request that cannot be understood; the message says which field and why."""


def create_blueprint(context: SandboxContext, calls: Calls) -> Blueprint:
    """What tests and people use to steer the sandbox, under /_control."""
    blueprint = Blueprint("control", __name__, url_prefix="/_control", template_folder="templates")

    @blueprint.get("/")
    def page() -> str:
        return render_template("control.html", faults=context.faults.describe(), calls=calls.list()[:-26:-1])

    @blueprint.post("/reset")
    def reset() -> Response:
        forget_everything(context, calls)
        return jsonify({"message": "Forgotten"})

    @blueprint.get("/faults")
    def show_faults() -> Response:
        return jsonify(context.faults.describe())

    @blueprint.post("/faults")
    def set_fault() -> Answer:
        context.faults.add(json_object())
        return jsonify({"message": "Set"}), 201

    @blueprint.delete("/faults")
    def clear_faults() -> Response:
        context.faults.clear()
        return jsonify({"message": "Cleared"})

    @blueprint.get("/calls")
    def show_calls() -> Response:
        return jsonify(calls.list(request.args.get("service")))

    @blueprint.get("/deliveries")
    def show_deliveries() -> Response:
        return jsonify(context.deliveries.log())

    @blueprint.post("/webhooks")
    def set_webhooks() -> Response:
        values = json_object()
        for name, value in values.items():
            if name not in TARGETS:
                raise InvalidControl(f"{name}: unknown; known are {', '.join(TARGETS)}")
            if not isinstance(value, str):
                raise InvalidControl(f"{name}: must be text")
            if name.endswith("_url") and value and not value.startswith(("http://", "https://")):
                raise InvalidControl(f"{name}: must begin with http:// or https://")
        for name, value in values.items():
            setattr(context.webhooks, name, value)
        return jsonify({"message": "Set"})

    @blueprint.app_errorhandler(InvalidFault)
    @blueprint.app_errorhandler(InvalidControl)
    def refuse(error: ValueError) -> Answer:
        return jsonify({"message": str(error)}), 400

    return blueprint


def json_object() -> dict[str, Any]:
    """The JSON object in the request's body, whatever its content type; raises InvalidControl."""
    values = request.get_json(force=True, silent=True)
    if not isinstance(values, dict):
        raise InvalidControl("The body must be a JSON object.")
    return values


def forget_everything(context: SandboxContext, calls: Calls) -> None:
    """Back to an empty sandbox whose webhooks go where it was started with."""
    context.deliveries.forget()
    context.faults.clear()
    context.store.clear()
    for forget in context.on_forget:
        forget()
    context.webhooks.configure(context.config)
    calls.clear()


def checked_fields(values: dict[str, Any], known: dict[str, type | tuple[type, ...]]) -> dict[str, Any]:
    """The values when each is known and of its type; raises InvalidControl naming the first that is not."""
    for name, value in values.items():
        if name not in known:
            raise InvalidControl(f"{name}: unknown; known are {', '.join(known)}")
        if not isinstance(value, known[name]) or (isinstance(value, bool) and known[name] is not bool):
            kinds = known[name] if isinstance(known[name], tuple) else (known[name],)
            raise InvalidControl(f"{name}: must be {' or '.join(kind.__name__ for kind in kinds)}")
    return values
