"""Checks an answer of the stand-in against the resource annotations of the installed SDK."""

import re
import typing
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

import stripe
from stripe.checkout import Session
from stripe.events._event_classes import get_v2_event_class

from sandbox.stripe.annotations import Field, fields_of, is_literal, literals, options_of

RESOURCES: dict[str, type] = {
    "checkout.session": Session,
    "item": stripe.LineItem,
    "payment_intent": stripe.PaymentIntent,
    "payment_method": stripe.PaymentMethod,
    "charge": stripe.Charge,
    "refund": stripe.Refund,
    "dispute": stripe.Dispute,
    "balance_transaction": stripe.BalanceTransaction,
    "coupon": stripe.Coupon,
    "promotion_code": stripe.PromotionCode,
    "event": stripe.Event,
    "customer": stripe.Customer,
    "product": stripe.Product,
    "price": stripe.Price,
    "webhook_endpoint": stripe.WebhookEndpoint,
}
SCALARS = (str, int, bool, float)
DECIMAL = re.compile(r"-?\d+(\.\d+)?")


class Kinds(typing.NamedTuple):
    """The kinds of value allowed in one place, and the module that named them."""

    options: tuple[Any, ...]
    module: str


def problems(value: Any) -> list[str]:
    """What is wrong with an answer (a resource, or a list of them), each as "path: what"; empty when well formed."""
    return list(_resource(value, "$"))


def _resource(value: Any, path: str) -> Iterator[str]:
    kind = value.get("object") if isinstance(value, dict) else None
    if kind == "list":
        yield from _list(value, path, None)
    elif kind == "v2.core.event":
        yield from _thin_event(value, path)
    elif kind in RESOURCES:
        yield from _object(value, RESOURCES[kind], path)
    else:
        yield f"{path}: not a known resource ({kind!r})"


def _list(value: dict[str, Any], path: str, items: Kinds | None) -> Iterator[str]:
    wanted = {"object": str, "data": list, "has_more": bool, "url": str}
    yield from (f"{path}.{name}: unknown field" for name in value.keys() - wanted.keys())
    for name, kind in wanted.items():
        if not isinstance(value.get(name), kind):
            yield f"{path}.{name}: must be {kind.__name__}, not {value.get(name)!r}"
    for index, item in enumerate(value.get("data") or ()):
        at = f"{path}.data[{index}]"
        yield from _any_of(item, items, at) if items else _resource(item, at)


def _thin_event(value: dict[str, Any], path: str) -> Iterator[str]:
    owner = get_v2_event_class(value.get("type", ""))
    if owner is stripe.StripeObject:
        yield f"{path}.type: {value.get('type')!r} is not the type of a thin event"
    else:
        yield from _fields(value, {**fields_of(stripe.v2.core.Event), **fields_of(owner)}, owner, path)


def _object(value: dict[str, Any], owner: type, path: str) -> Iterator[str]:
    yield from _fields(value, fields_of(owner), owner, path)
    if owner is stripe.Event and isinstance(value.get("data"), dict):
        yield from _resource(value["data"].get("object"), f"{path}.data.object")


def _fields(value: dict[str, Any], fields: Mapping[str, Field], owner: type, path: str) -> Iterator[str]:
    yield from (f"{path}.{name}: unknown field of {owner.__qualname__}" for name in value.keys() - fields.keys())
    for name, field in fields.items():
        found = value.get(name)
        if found is not None:
            yield from _any_of(found, Kinds(field.options, field.module), f"{path}.{name}")
        elif not field.is_optional:
            yield f"{path}.{name}: required by {owner.__qualname__}, but {'null' if name in value else 'missing'}"


def _any_of(value: Any, kinds: Kinds, path: str) -> Iterator[str]:
    allowed = literals(kinds.options)
    if allowed is not None:
        if value not in allowed:
            yield f"{path}: {value!r} is not one of {', '.join(map(str, allowed))}"
        return
    findings = [list(_fits(value, kind, kinds.module, path)) for kind in kinds.options]
    if all(findings):
        yield from max(findings, key=_depth)


def _depth(findings: list[str]) -> int:
    """How far into the value the check came: of several kinds the one that fitted best tells the most."""
    return max((len(finding.partition(":")[0]) for finding in findings), default=0)


def _fits(value: Any, kind: Any, module: str, path: str) -> Iterator[str]:
    origin = typing.get_origin(kind)
    if kind is Any:
        return
    if kind is Decimal:
        if not (isinstance(value, str) and DECIMAL.fullmatch(value)):
            yield f"{path}: must be a decimal written as a string, not {value!r}"
    elif kind in SCALARS:
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            yield f"{path}: must be {kind.__name__}, not {value!r}"
    elif is_literal(kind):
        if value not in typing.get_args(kind):
            yield f"{path}: {value!r} is not one of {typing.get_args(kind)}"
    elif origin is not None:
        items = Kinds(options_of(typing.get_args(kind)[-1], module), module)
        yield from _container(value, origin, items, path)
    elif not isinstance(value, dict):
        yield f"{path}: must be {kind.__qualname__}, not {value!r}"
    else:
        yield from _object(value, kind, path)


def _container(value: Any, origin: Any, items: Kinds, path: str) -> Iterator[str]:
    wanted = list if origin is list else dict
    if not isinstance(value, wanted):
        yield f"{path}: must be a {wanted.__name__}, not {value!r}"
    elif origin is stripe.ListObject:
        yield from _list(value, path, items)
    elif origin is list:
        for index, item in enumerate(value):
            yield from _any_of(item, items, f"{path}[{index}]")
    else:
        for name, item in value.items():
            yield from _any_of(item, items, f"{path}.{name}")


class IllFormed(Exception):
    """The stand-in was about to answer with something that the installed SDK's annotations do not allow."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("The sandbox made an answer that the installed SDK does not describe: " + "; ".join(problems))
