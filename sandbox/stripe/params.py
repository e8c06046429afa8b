"""Reads a decoded form with the parameter TypedDicts of the installed SDK: what is sent must be what they describe."""

import re
import typing
from decimal import Decimal, InvalidOperation
from typing import Any

from sandbox.stripe.annotations import fields_of, is_literal, literals, options_of
from sandbox.stripe.errors import StripeError
from sandbox.stripe.forms import Tree

INTEGER = re.compile(r"-?\d{1,15}")


def read(form: Tree, schema: type) -> dict[str, Any]:
    """The form as typed values (int, bool, list, dict, str; decimals stay strings).

    Raises StripeError for unknown names, missing ones and values of the wrong type, in Stripe's words.
    """
    return _object(form, schema, "")


def _object(form: Tree, schema: type, path: str) -> dict[str, Any]:
    fields = fields_of(schema)
    unknown = [_join(path, name) for name in form if name not in fields]
    if unknown:
        plural = "s" if len(unknown) > 1 else ""
        message = f"Received unknown parameter{plural}: {', '.join(unknown)}"
        raise StripeError(message, code="parameter_unknown", param=unknown[0])
    for name, field in fields.items():
        if name not in form and not field.is_optional:
            at = _join(path, name)
            raise StripeError(f"Missing required param: {at}.", code="parameter_missing", param=at)
    return {
        name: _value(sent, fields[name].options, fields[name].module, _join(path, name)) for name, sent in form.items()
    }


def _value(sent: Any, options: tuple[Any, ...], module: str, path: str) -> Any:
    allowed = literals(options)
    if allowed is not None:
        if sent not in allowed:
            choices = ", ".join(str(value) for value in allowed if value != "")
            raise StripeError(f"Invalid {path}: must be one of {choices}", param=path)
        return sent
    unsettable = any(is_literal(option) for option in options)
    kinds = [option for option in options if not is_literal(option)]
    if sent == "" and unsettable:
        return sent
    refusals: list[StripeError] = []
    for kind in sorted(kinds, key=lambda kind: kind is str):
        try:
            return _as(kind, sent, module, path)
        except StripeError as refusal:
            refusals.append(refusal)
    raise next((refusal for refusal in refusals if isinstance(sent, dict) == (refusal.param != path)), refusals[0])


def _as(kind: Any, sent: Any, module: str, path: str) -> Any:
    origin = typing.get_origin(kind)
    if kind is Any:
        return sent
    if kind in SCALARS:
        if not isinstance(sent, str):
            raise StripeError(f"Invalid {SCALARS[kind]}: {path} must not be an object or an array", param=path)
        return _scalar(kind, sent, path)
    if not isinstance(sent, dict):
        wanted = "array" if origin is list else "object"
        raise StripeError(f"Invalid {wanted}", param=path)
    if origin is None:
        return _object(sent, kind, path)
    items = options_of(typing.get_args(kind)[-1], module)
    if origin is list:
        return _list(sent, items, module, path)
    return {name: _value(value, items, module, _join(path, name)) for name, value in sent.items() if value != ""}


def _list(sent: Tree, items: tuple[Any, ...], module: str, path: str) -> list[Any]:
    if any(not (index.isascii() and index.isdigit()) for index in sent):
        raise StripeError("Invalid array", param=path)
    return [_value(sent[index], items, module, f"{path}[{index}]") for index in sorted(sent, key=int)]


SCALARS = {str: "string", int: "integer", bool: "boolean", float: "number", Decimal: "decimal"}


def _scalar(kind: Any, sent: str, path: str) -> str | int | bool:
    if kind is int:
        if not INTEGER.fullmatch(sent):
            raise StripeError(f"Invalid integer: {sent}", code="parameter_invalid_integer", param=path)
        return int(sent)
    if kind is bool:
        if sent not in ("true", "false"):
            raise StripeError(f"Invalid boolean: {sent}", param=path)
        return sent == "true"
    if kind in (Decimal, float):
        try:
            Decimal(sent)
        except InvalidOperation as error:
            raise StripeError(f"Invalid decimal: {sent}", param=path) from error
        return sent
    if not sent:
        message = (
            f"You passed an empty string for '{path}'. We assume empty values are an attempt to unset a parameter; "
            f"however '{path}' cannot be unset. You should remove '{path}' from your request or give it a value."
        )
        raise StripeError(message, code="parameter_invalid_empty", param=path)
    return sent


def _join(path: str, name: str) -> str:
    return f"{path}[{name}]" if path else name
