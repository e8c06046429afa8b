"""What a player reports, checked once, in whole milliseconds."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from videos.models import EngagementKind
from videos.services.errors import InvalidRequest

MAX_POSITION_S = 7 * 24 * 3600
MAX_SEQ = 2**53
PLAYED_MAX = 200
EVENTS_MAX = 20
TARGET_MAX = 200
_DAY_MS = 24 * 3600 * 1000
QUALITY_MAX = {
    "startup_ms": 3600 * 1000,
    "stall_count": 1_000_000,
    "stall_ms": 7 * _DAY_MS,
    "bitrate_kbps": 10_000_000,
    "error_count": 1_000_000,
}
"""The counters of `qoe`, and the most that is believed of each."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something the viewer did at `position_s`; `target` is what was clicked, or where it was shared."""

    kind: str
    position_s: float
    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One heartbeat. `played` are spans in ms as they were played, None when the player tells none at all."""

    seq: int
    position_s: float
    played: tuple[tuple[int, int], ...] | None
    quality: Mapping[str, int]
    events: tuple[Event, ...]


def read_report(*, seq: Any, position_s: Any, played: Any = None, qoe: Any = None, events: Any = ()) -> Report:
    """The report in these values, seconds where they are positions; raises InvalidRequest naming what is wrong."""
    if type(seq) is not int or not 0 <= seq <= MAX_SEQ:
        raise InvalidRequest("invalid_seq", attr="seq", detail="A whole number from 0.")
    if not _is_number(position_s) or not 0 <= position_s <= MAX_POSITION_S:
        raise InvalidRequest("invalid_position", attr="position", detail="Seconds from the start of the video.")
    return Report(
        seq=seq,
        position_s=position_s,
        played=None if played is None else _read_played(played),
        quality=_read_quality(qoe) if qoe else {},
        events=_read_events(events) if events else (),
    )


def _read_played(played: Any) -> tuple[tuple[int, int], ...]:
    if not isinstance(played, list | tuple) or len(played) > PLAYED_MAX:
        raise _invalid("played", f"A list of at most {PLAYED_MAX} pairs.")
    return tuple(_read_span(pair) for pair in played)


def _read_span(pair: Any) -> tuple[int, int]:
    if isinstance(pair, list | tuple) and len(pair) == 2:
        start, end = pair
        if _is_number(start) and _is_number(end) and start <= end:
            return _milliseconds(start), _milliseconds(end)
    raise _invalid("played", "Pairs of seconds, `[from, to]`, the first before the second.")


def _read_quality(qoe: Any) -> dict[str, int]:
    if not isinstance(qoe, Mapping):
        raise _invalid("qoe", "An object of counters.")
    found = {name: qoe[name] for name in QUALITY_MAX if qoe.get(name) is not None}
    if not all(_is_number(value) and value >= 0 for value in found.values()):
        raise _invalid("qoe", "Counters are numbers from 0.")
    return {name: int(min(value, QUALITY_MAX[name])) for name, value in found.items()}


def _read_events(events: Any) -> tuple[Event, ...]:
    if not isinstance(events, list | tuple) or len(events) > EVENTS_MAX:
        raise _invalid("events", f"A list of at most {EVENTS_MAX} events.")
    return tuple(_read_event(event) for event in events)


def _read_event(event: Any) -> Event:
    if not isinstance(event, Mapping) or event.get("kind") not in EngagementKind.values:
        raise _invalid("events", f"`kind` is one of {', '.join(EngagementKind.values)}.")
    position, target = event.get("position") or 0, event.get("target") or ""
    if not _is_number(position) or not isinstance(target, str):
        raise _invalid("events", "`position` in seconds, `target` a text.")
    return Event(event["kind"], _milliseconds(position) / 1000, _storable(target)[:TARGET_MAX])


def _storable(text: str) -> str:
    # PostgreSQL holds neither a zero byte nor half a surrogate pair.
    return text.replace("\0", "").encode(errors="replace").decode()


def _is_number(value: Any) -> bool:
    return type(value) is int or (type(value) is float and math.isfinite(value))


def _milliseconds(seconds: float) -> int:
    return round(min(max(seconds, 0), MAX_POSITION_S) * 1000)


def _invalid(attr: str, detail: str) -> InvalidRequest:
    return InvalidRequest(f"invalid_{attr}", attr=attr, detail=detail)
