"""How Stripe answers a question: pages of a list, filters, and ids replaced by the objects they name."""

from collections.abc import Callable
from typing import Any

from sandbox.store import Record, Store
from sandbox.stripe.annotations import fields_of
from sandbox.stripe.errors import StripeError, missing_object
from sandbox.stripe.ids import collection_of
from sandbox.stripe.resources import listing
from sandbox.stripe.schema import RESOURCES

DEFAULT_LIMIT, LARGEST_LIMIT, DEEPEST_EXPAND = 10, 100, 4


def page(items: list[Record], data: dict[str, Any], *, path: str) -> Record:
    """One page of `items` (already in answer order) by limit, starting_after and ending_before."""
    limit = data.get("limit", DEFAULT_LIMIT)
    if not 1 <= limit <= LARGEST_LIMIT:
        message = f"Invalid integer: limit must be between 1 and {LARGEST_LIMIT}, not {limit}"
        raise StripeError(message, code="parameter_invalid_integer", param="limit")
    after, before = data.get("starting_after"), data.get("ending_before")
    if after and before:
        message = "You may only specify one of these parameters: starting_after, ending_before."
        raise StripeError(message, code="parameters_exclusive", param="ending_before")
    if before:
        newer = items[: _position(items, before, "ending_before")]
        return listing(newer[-limit:], path=path, has_more=len(newer) > limit)
    rest = items[_position(items, after, "starting_after") + 1 :] if after else items
    return listing(rest[:limit], path=path, has_more=len(rest) > limit)


def _position(items: list[Record], object_id: str, param: str) -> int:
    for index, item in enumerate(items):
        if item["id"] == object_id:
            return index
    raise missing_object("object", object_id, param=param, status=400)


def is_created_within(item: Record, wanted: int | dict[str, int] | None) -> bool:
    """Whether the item fits a `created` filter: an exact time or gt, gte, lt, lte."""
    if wanted is None:
        return True
    if isinstance(wanted, int):
        return bool(item["created"] == wanted)
    tests: dict[str, Callable[[int, int], bool]] = {
        "gt": int.__gt__,
        "gte": int.__ge__,
        "lt": int.__lt__,
        "lte": int.__le__,
    }
    return all(tests[name](item["created"], limit) for name, limit in wanted.items())


def fits(item: Record, data: dict[str, Any], *names: str) -> bool:
    """Whether the item equals the filters given among `names`, and was created when asked for."""
    same = all(item.get(name) == data[name] for name in names if name in data)
    return same and is_created_within(item, data.get("created"))


def expand(answer: Record, paths: list[str], store: Store) -> None:
    """Replace, in place, the ids at `paths` ("payment_intent.latest_charge") by their objects."""
    for path in paths:
        parts = path.split(".")
        if len(parts) - (parts[0] == "data") > DEEPEST_EXPAND:
            raise StripeError("You cannot expand more than 4 levels of a property.", param="expand")
        _expand(answer, parts, path, store)


def _expand(value: Any, parts: list[str], path: str, store: Store) -> None:
    if not parts or value is None:
        return
    if isinstance(value, list):
        for item in value:
            _expand(item, parts, path, store)
        return
    name, *rest = parts
    if not isinstance(value, dict) or not _is_known(value, name):
        message = f"This property cannot be expanded ({path})."
        raise StripeError(message, code="property_cannot_be_expanded", param="expand")
    if name == "line_items" and value["object"] == "checkout.session":
        details = store.get("stripe.session_details", value["id"]) or {}
        at = f"/v1/checkout/sessions/{value['id']}/line_items"
        value[name] = value.get(name) or page(details["line_items"], {}, path=at)
    elif name == "refunds" and value["object"] == "charge":
        refunds = [refund for refund in store.values("stripe.refunds") if refund["charge"] == value["id"]][::-1]
        value[name] = value.get(name) or page(refunds, {}, path=f"/v1/charges/{value['id']}/refunds")
    elif isinstance(value.get(name), str):
        collection = collection_of(value[name])
        if collection is None:
            raise StripeError(f"The sandbox keeps no object for {path} ({value[name]}).", param="expand")
        value[name] = store.get(collection, value[name])
    _expand(value.get(name), rest, path, store)


def _is_known(value: Record, name: str) -> bool:
    kind = value.get("object")
    if kind == "list":
        return name == "data"
    return kind not in RESOURCES or name in fields_of(RESOURCES[kind])
