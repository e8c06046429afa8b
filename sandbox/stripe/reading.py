"""How Stripe answers a question: pages of a list, filters, and ids replaced by the objects they name."""

from collections.abc import Sequence
from typing import Any, Literal

from sandbox.store import Record, Store, Where
from sandbox.stripe.annotations import fields_of
from sandbox.stripe.errors import StripeError, missing_object
from sandbox.stripe.ids import collection_of
from sandbox.stripe.resources import listing
from sandbox.stripe.schema import RESOURCES

DEFAULT_LIMIT, LARGEST_LIMIT, DEEPEST_EXPAND = 10, 100, 4


def page(items: list[Record], data: dict[str, Any], *, path: str) -> Record:
    """One page of `items` (already in answer order) by limit, starting_after and ending_before."""
    limit, after, before = _window(data)
    if before:
        newer = items[: _position(items, before, "ending_before")]
        return listing(newer[-limit:], path=path, has_more=len(newer) > limit)
    rest = items[_position(items, after, "starting_after") + 1 :] if after else items
    return listing(rest[:limit], path=path, has_more=len(rest) > limit)


def stored_page(
    store: Store, collection: str, data: dict[str, Any], *, path: str, where: Sequence[Where] = ()
) -> Record:
    """One page of a collection, newest first, of what fits `where` and was created when asked for."""
    limit, after, before = _window(data)
    for key, param in ((after, "starting_after"), (before, "ending_before")):
        if key and store.get(collection, key) is None:
            raise missing_object("object", key, param=param, status=400)
    where = [*where, *created_within(data.get("created"))]
    found = store.search(collection, where, after=after, before=before, limit=limit + 1)
    shown = found[-limit:] if before else found[:limit]
    return listing(shown, path=path, has_more=len(found) > limit)


def _window(data: dict[str, Any]) -> tuple[int, str | None, str | None]:
    limit = data.get("limit", DEFAULT_LIMIT)
    if not 1 <= limit <= LARGEST_LIMIT:
        message = f"Invalid integer: limit must be between 1 and {LARGEST_LIMIT}, not {limit}"
        raise StripeError(message, code="parameter_invalid_integer", param="limit")
    after, before = data.get("starting_after"), data.get("ending_before")
    if after and before:
        message = "You may only specify one of these parameters: starting_after, ending_before."
        raise StripeError(message, code="parameters_exclusive", param="ending_before")
    return limit, after, before


def _position(items: list[Record], object_id: str, param: str) -> int:
    for index, item in enumerate(items):
        if item["id"] == object_id:
            return index
    raise missing_object("object", object_id, param=param, status=400)


OPERATORS: dict[str, Literal["<", "<=", ">", ">="]] = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}


def created_within(wanted: int | dict[str, int] | None) -> list[Where]:
    """The conditions of a `created` filter: an exact time or gt, gte, lt, lte."""
    if wanted is None:
        return []
    if isinstance(wanted, int):
        return [Where("created", "=", wanted)]
    return [Where("created", OPERATORS[name], limit) for name, limit in wanted.items()]


def same(data: dict[str, Any], *names: str) -> list[Where]:
    """The conditions of those filters among `names` that were sent."""
    return [Where(name, "=", data[name]) for name in names if name in data]


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
        at, of_charge = f"/v1/charges/{value['id']}/refunds", [Where("charge", "=", value["id"])]
        value[name] = value.get(name) or stored_page(store, "stripe.refunds", {}, path=at, where=of_charge)
    elif isinstance(value.get(name), str):
        collection = "stripe.coupons" if name == "coupon" else collection_of(value[name])
        if collection is None:
            raise StripeError(f"The sandbox keeps no object for {path} ({value[name]}).", param="expand")
        value[name] = store.get(collection, value[name])
    _expand(value.get(name), rest, path, store)


def _is_known(value: Record, name: str) -> bool:
    kind = value.get("object")
    if kind == "list":
        return name == "data"
    return kind not in RESOURCES or name in fields_of(RESOURCES[kind])
