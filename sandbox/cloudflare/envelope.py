"""Every REST answer of the API looks alike: result, success, errors with numbers, messages
(https://developers.cloudflare.com/fundamentals/api/reference/)."""

from typing import Any

from flask import Response, jsonify, request

Answer = Response | tuple[Response, int]

AUTHENTICATION, STORAGE_EXCEEDED, NOT_A_VIDEO = 10000, 10011, 10059
# The service publishes no list of its numbers; clients can rely on the three above alone.
NOT_FOUND, BAD_REQUEST, TOO_MANY_QUEUED, TOO_LARGE, NOT_READY = 10003, 10005, 10012, 10013, 10014


class Refusal(Exception):
    """A request that the API turns down with this status, number and message."""

    def __init__(self, status: int, code: int, message: str, **headers: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}

    def answer(self) -> Response:
        response = jsonify(envelope(None, errors=[{"code": self.code, "message": self.message}]))
        response.status_code = self.status
        response.headers.update(self.headers)
        return response


def bad_request(message: str) -> Refusal:
    return Refusal(400, BAD_REQUEST, f"Bad Request: {message}")


def not_found() -> Refusal:
    return Refusal(404, NOT_FOUND, "Not Found: The requested resource was not found")


def envelope(result: Any, *, errors: list[dict[str, Any]] | None = None, **more: Any) -> dict[str, Any]:
    return {"result": result, "success": not errors, "errors": errors or [], "messages": [], **more}


def ok(result: Any, **more: Any) -> Response:
    return jsonify(envelope(result, **more))


def json_body(*, required: bool = True) -> dict[str, Any]:
    """The JSON object of the request; raises Refusal when it is none."""
    if not required and not request.get_data(cache=True):
        return {}
    body = request.get_json(force=True, silent=True)
    if not isinstance(body, dict):
        raise bad_request("the body must be a JSON object")
    return body


def field(body: dict[str, Any], name: str, kind: type | tuple[type, ...], default: Any = None) -> Any:
    """One member of a body, of the right type; raises Refusal otherwise."""
    value = body.get(name)
    if value is None:
        return default
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise bad_request(f"{name} has the wrong type")
    return value
