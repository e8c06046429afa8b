"""Minutes delivered, by GraphQL: one node, its filters, dimensions, order and limit
(https://developers.cloudflare.com/stream/getting-analytics/fetching-bulk-analytics/)."""

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

from flask import Blueprint, Response, jsonify, request

from sandbox.cloudflare.library import VIDEOS
from sandbox.context import SandboxContext
from sandbox.store import Store

MINUTES = "cloudflare.minutes"
NODE = "streamMinutesViewedAdaptiveGroups"
LONGEST_WINDOW, KEPT = timedelta(days=31), timedelta(days=90)
MOST_ROWS = 10_000
DIMENSIONS = ("date", "datetime", "uid", "clientCountryName", "creator")
CALL = re.compile(NODE + r"\s*\((?P<arguments>(?:[^(){}]|\{[^{}]*\})*)\)\s*\{(?P<fields>(?:[^{}]|\{[^{}]*\})*)\}")
FILTER = re.compile(r"filter\s*:\s*\{([^{}]*)\}")
PAIR = re.compile(r"(\w+)\s*:\s*(\$\w+|\"[^\"]*\")")


class InvalidQuery(ValueError):
    """What the query asks for is not to be had; the message says why."""


def count(store: Store, uid: str, minutes: float, *, date: str | None, country: str) -> None:
    """Add minutes delivered to a UTC day (YYYY-MM-DD), today by default."""
    day = date or datetime.now(UTC).date().isoformat()
    key = f"{day} {country} {uid}"
    with store.lock:
        known = store.get(MINUTES, key) or {"date": day, "uid": uid, "country": country, "minutes": 0}
        store.put(MINUTES, key, known | {"minutes": known["minutes"] + minutes})


def add_routes(blueprint: Blueprint, context: SandboxContext) -> None:
    @blueprint.post("/graphql")
    def graphql() -> Response:
        body = request.get_json(force=True, silent=True)
        try:
            if not isinstance(body, dict) or not isinstance(body.get("query"), str):
                raise InvalidQuery("the body must hold a query")
            groups = _answer(context, body["query"], body.get("variables") or {})
        except InvalidQuery as error:
            return jsonify({"data": None, "errors": [{"message": str(error), "path": None, "extensions": {}}]})
        return jsonify({"data": {"viewer": {"accounts": [{NODE: groups}]}}, "errors": None})


def _answer(context: SandboxContext, query: str, variables: dict[str, Any]) -> list[dict[str, Any]]:
    call = CALL.search(query)
    if call is None:
        raise InvalidQuery(f"unknown field: the stand-in answers {NODE} alone")
    _check_account(context, query, variables)
    wanted = _filter(call["arguments"], variables)
    _check_window(wanted)
    dimensions = re.search(r"dimensions\s*\{([^{}]*)\}", call["fields"])
    names = dimensions[1].split() if dimensions else []
    if unknown := sorted(set(names) - set(DIMENSIONS)):
        raise InvalidQuery(f"unknown field {unknown[0]!r}")
    rows = [row for row in _rows(context) if _fits(row, wanted)]
    groups = _grouped(rows, names)
    for name, direction in reversed(re.findall(r"(\w+)_(ASC|DESC)", call["arguments"])):
        groups.sort(key=lambda group: _sort_key(group, name), reverse=direction == "DESC")
    limit = re.search(r"limit\s*:\s*(\d+)", call["arguments"])
    if limit is None or not 0 < int(limit[1]) <= MOST_ROWS:
        raise InvalidQuery(f"limit must be between 1 and {MOST_ROWS}")
    return groups[: int(limit[1])]


def _check_account(context: SandboxContext, query: str, variables: dict[str, Any]) -> None:
    named = re.search(r"accountTag\s*:\s*(\$\w+|\"[^\"]*\")(?=[^)]*\}\s*\))", query)
    if named is None or _value(named[1], variables) != context.config.cloudflare_account_id:
        raise InvalidQuery("not authorized for that account")


def _filter(arguments: str, variables: dict[str, Any]) -> dict[str, str]:
    block = FILTER.search(arguments)
    return {name: _value(text, variables) for name, text in PAIR.findall(block[1] if block else "")}


def _value(text: str, variables: dict[str, Any]) -> str:
    if not text.startswith("$"):
        return text.strip('"')
    if text[1:] not in variables:
        raise InvalidQuery(f"variable {text} is not given")
    return str(variables[text[1:]])


def _check_window(wanted: dict[str, str]) -> None:
    days = {name: _day(value) for name, value in wanted.items() if name.startswith("date")}
    begins = [day for name, day in days.items() if name.endswith(("_geq", "_gt"))]
    ends = [day for name, day in days.items() if name.endswith(("_leq", "_lt"))]
    if "date" in days:
        begins, ends = [days["date"]], [days["date"]]
    if not begins:
        raise InvalidQuery("filter: a beginning (date_geq) is required")
    today = datetime.now(UTC).date()
    if begins[0] < today - KEPT:
        raise InvalidQuery(f"cannot request data older than {KEPT.days} days")
    if (ends[0] if ends else today) - begins[0] > LONGEST_WINDOW:
        raise InvalidQuery(f"query time range is too large: at most {LONGEST_WINDOW.days} days")


def _day(text: str) -> date:
    try:
        return datetime.fromisoformat(text).date()
    except ValueError as error:
        raise InvalidQuery(f"cannot read the date {text!r}") from error


def _rows(context: SandboxContext) -> list[dict[str, Any]]:
    creators = {video["uid"]: video["creator"] for video in context.store.values(VIDEOS)}
    return [
        {
            "date": row["date"],
            "datetime": f"{row['date']}T00:00:00Z",
            "uid": row["uid"],
            "clientCountryName": row["country"],
            "creator": creators.get(row["uid"]) or "",
            "minutes": row["minutes"],
        }
        for row in context.store.values(MINUTES)
    ]


def _fits(row: dict[str, Any], wanted: dict[str, str]) -> bool:
    tests = {
        "geq": lambda known, asked: known >= asked,
        "gt": lambda known, asked: known > asked,
        "leq": lambda known, asked: known <= asked,
        "lt": lambda known, asked: known < asked,
        "neq": lambda known, asked: known != asked,
    }
    for name, asked in wanted.items():
        field, _, how = name.partition("_")
        if field not in row or (how and how not in tests):
            raise InvalidQuery(f"unknown filter {name!r}")
        known = row[field]
        if not (tests[how](known, asked) if how else known == asked):
            return False
    return True


def _grouped(rows: list[dict[str, Any]], names: list[str]) -> list[dict[str, Any]]:
    sums: dict[tuple[str, ...], float] = {}
    for row in rows:
        key = tuple(row[name] for name in names)
        sums[key] = sums.get(key, 0) + row["minutes"]
    return [
        {"dimensions": dict(zip(names, key, strict=True)), "sum": {"minutesViewed": minutes}}
        for key, minutes in sums.items()
    ]


def _sort_key(group: dict[str, Any], name: str) -> Any:
    if name == "sum_minutesViewed":
        return group["sum"]["minutesViewed"]
    if name not in group["dimensions"]:
        raise InvalidQuery(f"unknown order {name!r}")
    return group["dimensions"][name]
