"""The currencies that courses are sold in: how an amount is written and the least a card can be charged."""

from dataclasses import dataclass

from django.conf import settings
from django.core.exceptions import ValidationError


@dataclass(frozen=True)
class Currency:
    """`exponent` decimals stand between the smallest unit and the written amount; `minimum_minor` can be charged."""

    symbol: str
    exponent: int
    minimum_minor: int


# https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts, #zero-decimal
CURRENCIES = {
    "usd": Currency("$", 2, 50),
    "eur": Currency("€", 2, 50),
    "gbp": Currency("£", 2, 30),
    "jpy": Currency("¥", 0, 50),
}
# Eight digits, whatever the currency: https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts
MAXIMUM_MINOR = 99_999_999


def display(amount_minor: int, currency: str) -> str:
    """Write an amount of the currency's smallest units for people: `$49.00`, `¥4,900`, `CHF 49.00` when unknown."""
    known = CURRENCIES.get(currency.lower()) or Currency(f"{currency.upper()} ", 2, 0)
    sign = "-" if amount_minor < 0 else ""
    whole, rest = divmod(abs(amount_minor), 10**known.exponent)
    decimals = f".{rest:0{known.exponent}d}" if known.exponent else ""
    return f"{sign}{known.symbol}{whole:,}{decimals}"


def validate_currency(currency: str) -> None:
    """Raise ValidationError unless `currency` is offered (setting COURSE_CURRENCIES)."""
    if currency not in settings.COURSE_CURRENCIES or currency not in CURRENCIES:
        offered = ", ".join(code for code in settings.COURSE_CURRENCIES if code in CURRENCIES)
        raise ValidationError(f"Courses are sold in {offered}.", code="currency_not_offered")


def validate_price(price_minor: int, currency: str) -> None:
    """Raise ValidationError for a price that is neither free nor chargeable by card.

    Codes: `price_too_small`, `price_too_large`.
    """
    if price_minor > MAXIMUM_MINOR:
        most = display(MAXIMUM_MINOR, currency)
        raise ValidationError({"price_minor": ValidationError(f"At most {most}.", code="price_too_large")})
    known = CURRENCIES.get(currency)
    if known and 0 < price_minor < known.minimum_minor:
        least = display(known.minimum_minor, currency)
        raise ValidationError(
            {"price_minor": ValidationError(f"Free (0) or at least {least}.", code="price_too_small")}
        )
