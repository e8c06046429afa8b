"""Amounts as a spreadsheet and a form write them: whole units and decimals, never a float."""

from decimal import Decimal, InvalidOperation

from courses.money import CURRENCIES

_USUAL_EXPONENT = 2


def exponent_of(currency: str) -> int:
    """How many decimals the currency has; two when it is unknown."""
    known = CURRENCIES.get(currency.lower())
    return known.exponent if known else _USUAL_EXPONENT


def decimal_text(amount_minor: int, currency: str) -> str:
    """`49.00` for 4900 cents, `4900` for as many yen; a negative amount keeps its sign."""
    return f"{Decimal(amount_minor).scaleb(-exponent_of(currency)):f}"


def read_amount(text: str, currency: str) -> int:
    """The smallest units that `text` (`49`, `49.5`, `49.50`) stands for.

    Raises ValueError for what is no plain number, or has more decimals than the currency.
    """
    try:
        units = Decimal(text.strip()).scaleb(exponent_of(currency))
        if not units.is_finite() or units != units.to_integral_value():
            raise ValueError(text)
    except InvalidOperation as error:
        raise ValueError(text) from error
    return int(units)
