"""Stripe's SDK is generated from Stripe's own OpenAPI build, so its annotations are the installed version's schema.

They name classes that the SDK imports for type checkers only; here those names are resolved by reading the imports out
of the module's source, and every annotation is brought into one shape, `Field`.
"""

import ast
import inspect
import sys
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any, ForwardRef, Literal, Union

import stripe
import typing_extensions

Kind = Any
CALL_OPTIONS = frozenset(inspect.get_annotations(stripe.RequestOptions))


@dataclass(frozen=True)
class Field:
    """One annotated name: the kinds of value it may hold (None is never among them), whether it may be absent, and the
    module that the kinds' own arguments are to be read in."""

    options: tuple[Kind, ...]
    is_optional: bool
    module: str


@cache
def fields_of(owner: type) -> Mapping[str, Field]:
    """The annotated fields of one SDK class (a resource, a part of one, or a TypedDict of parameters).

    The options of a call (`idempotency_key` and the like), which the TypedDicts inherit, are no parameters: left out.
    """
    left_out = CALL_OPTIONS if stripe.RequestOptions in getattr(owner, "__orig_bases__", ()) else frozenset()
    fields = {}
    for name, annotation in inspect.get_annotations(owner).items():
        if typing.get_origin(annotation) is typing.ClassVar or name in left_out:
            continue
        options, is_optional = _flatten(annotation, owner.__module__)
        fields[name] = Field(options, is_optional, owner.__module__)
    return fields


@cache
def options_of(annotation: Kind, module: str) -> tuple[Kind, ...]:
    """What an annotation found inside `module` allows, unions and forward references taken apart."""
    return _flatten(annotation, module)[0]


@cache
def literals(options: tuple[Kind, ...]) -> tuple[Any, ...] | None:
    """The closed list of values when the options are an enumeration, else None.

    The SDK writes an enumeration as `Literal[...] | str`; a lone `Literal['']` only says that the value can be unset.
    """
    if any(option is not str and not is_literal(option) for option in options):
        return None
    values = tuple(v for option in options if is_literal(option) for v in typing.get_args(option))
    return values if any(value != "" for value in values) else None


def is_literal(option: Kind) -> bool:
    return typing.get_origin(option) in LITERAL


LITERAL = {Literal, typing_extensions.Literal}
UNION = {Union, type(int | str)}
WRAPPERS = {typing_extensions.NotRequired, typing_extensions.Required}


def _flatten(annotation: Kind, module: str) -> tuple[tuple[Kind, ...], bool]:
    if isinstance(annotation, str):
        annotation = ForwardRef(annotation)
    if isinstance(annotation, ForwardRef):
        return _flatten(_evaluate(annotation.__forward_arg__, module), module)
    origin = typing.get_origin(annotation)
    if origin in WRAPPERS:
        options, _ = _flatten(typing.get_args(annotation)[0], module)
        return options, origin is typing_extensions.NotRequired
    if origin in UNION:
        parts = [_flatten(part, module) for part in typing.get_args(annotation)]
        return tuple(o for options, _ in parts for o in options), any(optional for _, optional in parts)
    if annotation is type(None) or annotation is None:
        return (), True
    return (annotation,), False


def _evaluate(expression: str, module: str) -> Kind:
    return eval(expression, {}, _namespace(module))


@cache
def _namespace(module: str) -> "_Names":
    loaded = sys.modules.get(module) or import_module(module)
    imports = {}
    for node in ast.walk(ast.parse(inspect.getsource(loaded))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("stripe"):
            imports |= {alias.asname or alias.name: (node.module, alias.name) for alias in node.names}
    return _Names(vars(loaded), imports)


class _Names(dict[str, Any]):
    """The names that a module sees, those imported for type checkers included, loaded when asked for."""

    def __init__(self, known: Mapping[str, Any], imports: Mapping[str, tuple[str, str]]) -> None:
        super().__init__(known)
        self._imports = imports

    def __missing__(self, name: str) -> Any:
        if name not in self._imports:
            raise KeyError(name)
        module, original = self._imports[name]
        self[name] = getattr(import_module(module), original)
        return self[name]
