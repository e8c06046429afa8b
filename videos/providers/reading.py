"""Reads values out of a host's answer, whose types are never quite what the documents say."""

import math
from typing import Any, TypeGuard


def is_filled(value: Any) -> TypeGuard[str]:
    """Whether this is a text with something in it."""
    return isinstance(value, str) and value != ""


def text(value: Any) -> str:
    """The value when it is a text, else an empty one."""
    return value if isinstance(value, str) else ""


def number(value: Any) -> float | None:
    """A finite number of 0 or more, also when it comes as text; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        parsed = float(value)
    except (ValueError, OverflowError):
        return None
    return parsed if math.isfinite(parsed) and parsed >= 0 else None


def whole_number(value: Any) -> int | None:
    """A whole number from 0 up to what a BIGINT column holds; None for anything else."""
    parsed = number(value)
    return int(parsed) if parsed is not None and parsed < 2**63 else None


def web_address(value: Any, *, max_length: int = 1000) -> str:
    """An http(s) address that fits a column of `max_length`, else an empty text."""
    fits = is_filled(value) and len(value) <= max_length and value.startswith(("https://", "http://"))
    return value if fits else ""


def storable(value: Any) -> Any:
    """The same JSON value without NUL, lone surrogates and infinite numbers, which no database column takes."""
    if isinstance(value, str):
        return value.replace("\0", "\ufffd").encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, list):
        return [storable(item) for item in value]
    if isinstance(value, dict):
        return {storable(key): storable(item) for key, item in value.items()}
    return value
