"""Amounts as a spreadsheet and a form write them: whole units and decimals, by whole numbers alone."""

import re

from courses.money import CURRENCIES

_USUAL_EXPONENT = 2
_PLAIN = re.compile(r"(\d{1,12})(?:\.(\d{1,6}))?", re.ASCII)


def exponent_of(currency: str) -> int:
    """How many decimals the currency has; two when it is unknown."""
    known = CURRENCIES.get(currency.lower())
    return known.exponent if known else _USUAL_EXPONENT


def decimal_text(amount_minor: int, currency: str) -> str:
    """`49.00` for 4900 cents, `4900` for as many yen; a negative amount keeps its sign."""
    exponent = exponent_of(currency)
    whole, rest = divmod(abs(amount_minor), 10**exponent)
    decimals = f".{rest:0{exponent}d}" if exponent else ""
    return f"{'-' if amount_minor < 0 else ''}{whole}{decimals}"


def read_amount(text: str, currency: str) -> int:
    """The smallest units that `text` (`49`, `49.5`, `49.50`) stands for.

    Raises ValueError for what is no plain number, is negative, or has more decimals than the currency.
    """
    plain = _PLAIN.fullmatch(text.strip())
    exponent = exponent_of(currency)
    decimals = (plain[2] or "").rstrip("0") if plain else ""
    if plain is None or len(decimals) > exponent:
        raise ValueError(f"{text!r} is no amount of {currency}")
    return int(plain[1] + decimals.ljust(exponent, "0"))
