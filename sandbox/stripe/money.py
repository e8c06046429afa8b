"""Stripe's lowest charges; only some are in its public documentation: https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts"""

from sandbox.stripe.errors import StripeError

ZERO_DECIMAL = frozenset(
    ["bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "ugx", "vnd", "vuv", "xaf", "xof", "xpf"]
)
MINIMUM = {
    "aed": 200, "aud": 50, "bgn": 100, "brl": 50, "cad": 50, "chf": 50, "czk": 1500, "dkk": 250, "eur": 50, "gbp": 30,
    "hkd": 400, "huf": 17500, "inr": 50, "jpy": 50, "mxn": 1000, "myr": 200, "nok": 300, "nzd": 50, "pln": 200,
    "ron": 200, "sek": 300, "sgd": 50, "thb": 1000, "usd": 50,
}  # fmt: skip
LARGEST = 99_999_999
BANK_DEBITS = {"usd": "us_bank_account", "eur": "sepa_debit", "gbp": "bacs_debit"}


def display(amount: int, currency: str) -> str:
    """An amount in minor units as Stripe writes it for people: "$49.00", "¥4900", "49.00 CHF"."""
    number = str(amount) if currency in ZERO_DECIMAL else f"{amount // 100}.{amount % 100:02d}"
    symbol = {"usd": "$", "eur": "€", "gbp": "£", "jpy": "¥"}.get(currency)
    return f"{symbol}{number}" if symbol else f"{number} {currency.upper()}"


def check_total(total: int, currency: str) -> None:
    """Raises StripeError when a session's total is below or above what can be charged; 0 is allowed."""
    minimum = MINIMUM.get(currency, 50)
    if 0 < total < minimum:
        least = f"{display(minimum, currency)} {currency}"
        message = f"The Checkout Session's total amount due must add up to at least {least}"
        raise StripeError(message, code="amount_too_small")
    if total > LARGEST:
        message = f"The Checkout Session's total amount must be no more than {display(LARGEST, currency)} {currency}"
        raise StripeError(message, code="amount_too_large")
