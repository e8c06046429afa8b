"""What every API call has in common: key, version, form, idempotency, errors, and the check of each answer."""

import hmac
import json
import re
import time
from collections.abc import Callable
from typing import Any

import flask

from sandbox.store import Record
from sandbox.stripe import forms, params, reading, schema
from sandbox.stripe.errors import StripeError
from sandbox.stripe.idempotency import Answer
from sandbox.stripe.ids import new_id
from sandbox.stripe.stand_in import StripeSandbox

Handler = Callable[..., Record]
VERSION = re.compile(r"\d{4}-\d{2}-\d{2}(\.[a-z_]+)?(; ?\S+)*")
UI_MODES_RENAMED, METHOD_TYPES_REMOVED = "2026-03-25", "2026-09-30"
OLD_UI_MODES = {"hosted": "hosted_page", "embedded": "embedded_page", "custom": "elements"}


def view(
    sandbox: StripeSandbox, handler: Handler, parameters: type, *, is_documented: bool = True
) -> Callable[..., flask.Response]:
    """A Flask view that reads the request by `parameters`, calls `handler(data, **ids)` and answers as Stripe does.

    What is not documented has no annotations that its answers could be checked against.
    """

    def answer_request(**ids: str) -> flask.Response:
        request_id = new_id("req", length=14)
        try:
            authenticate(sandbox.context.config.stripe_secret_key)
            form = sent_form()
            if flask.request.method != "POST":
                return respond(answer(form, ids, request_id))
            key = flask.request.headers.get("Idempotency-Key")
            told_apart = json.dumps([flask.request.path, form], sort_keys=True)
            return respond(sandbox.idempotency.answer(key, told_apart, lambda: answer(form, ids, request_id)))
        except StripeError as error:
            return respond(refusal(error, request_id))

    def answer(form: forms.Tree, ids: dict[str, str], request_id: str) -> Answer:
        try:
            data = params.read(as_current_version(form), parameters)
            if flask.request.method == "POST":
                time.sleep(sandbox.settings.think_ms / 1000)
            paths = data.pop("expand", [])
            body = handler(data, **ids)
            reading.expand(body, paths, sandbox.context.store)
            if is_documented:
                check(body)
        except StripeError as error:
            return refusal(error, request_id)
        except schema.IllFormed as error:
            return refusal(StripeError(str(error), status=500, type="api_error"), request_id)
        return Answer(200, json.dumps(body, indent=2), request_id)

    return answer_request


def refusal(error: StripeError, request_id: str) -> Answer:
    return Answer(error.status, json.dumps(error.body(), indent=2), request_id)


def respond(answer: Answer) -> flask.Response:
    response = flask.Response(answer.body, status=answer.status, content_type="application/json")
    response.headers["Request-Id"] = answer.request_id
    if version := flask.request.headers.get("Stripe-Version"):
        response.headers["Stripe-Version"] = version
    if key := flask.request.headers.get("Idempotency-Key"):
        response.headers["Idempotency-Key"] = key
    if answer.is_replayed:
        response.headers["Idempotent-Replayed"] = "true"
    return response


def check(body: Record) -> None:
    """Raises IllFormed when the installed SDK's annotations do not describe the answer."""
    if found := schema.problems(body):
        raise schema.IllFormed(found)


def authenticate(expected: str) -> None:
    """Raises StripeError (401) unless the request carries the sandbox's own test key."""
    scheme, _, key = flask.request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not key:
        message = "You did not provide an API key. Send it as 'Authorization: Bearer YOUR_SECRET_KEY'."
        raise StripeError(message, status=401)
    is_test_key = key.startswith(("sk_test_", "rk_test_"))
    if not is_test_key or not hmac.compare_digest(key.encode(), expected.encode()):
        raise StripeError(f"Invalid API Key provided: {hidden(key)}", status=401)


def hidden(key: str) -> str:
    return f"{key[:8]}{'*' * max(len(key) - 12, 4)}{key[-4:] if len(key) > 12 else ''}"


def sent_form() -> forms.Tree:
    if flask.request.method != "POST":
        return forms.decode(flask.request.args.items(multi=True))
    if flask.request.content_length and flask.request.mimetype != "application/x-www-form-urlencoded":
        message = (
            "Invalid request (check that your POST content type is application/x-www-form-urlencoded). "
            f"If you have questions, see the API reference. You sent {flask.request.mimetype or 'no content type'}."
        )
        raise StripeError(message)
    return forms.decode(flask.request.form.items(multi=True))


def as_current_version(form: forms.Tree) -> forms.Tree:
    """The form in the words of today's API. A request without `Stripe-Version` is read leniently, as an old one."""
    version = flask.request.headers.get("Stripe-Version", "")
    if version and not VERSION.fullmatch(version):
        raise StripeError(f"Invalid Stripe API version: {version}", code="invalid_api_version")
    current: dict[str, Any] = dict(form)
    if version < METHOD_TYPES_REMOVED and flask.request.path.endswith(("/checkout/sessions", "/payment_intents")):
        current.pop("payment_method_types", None)
    if version < UI_MODES_RENAMED and isinstance(current.get("ui_mode"), str):
        current["ui_mode"] = OLD_UI_MODES.get(current["ui_mode"], current["ui_mode"])
    return current
