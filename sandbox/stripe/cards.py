"""Stripe's test cards: https://docs.stripe.com/testing#cards"""

import re
from dataclasses import dataclass

from sandbox.stripe.errors import StripeError


@dataclass(frozen=True)
class Decline:
    """Why a card is refused: the code, the bank's word and the sentence a buyer reads."""

    code: str
    decline_code: str | None
    message: str


@dataclass(frozen=True)
class Card:
    number: str
    brand: str
    decline: Decline | None

    @property
    def last4(self) -> str:
        return self.number[-4:]


GENERIC = Decline("card_declined", "generic_decline", "Your card was declined.")
DECLINES = {
    "4000000000000002": GENERIC,
    "4000000000000341": GENERIC,
    "4000000000009995": Decline("card_declined", "insufficient_funds", "Your card has insufficient funds."),
    "4000000000009987": Decline("card_declined", "lost_card", "Your card was declined."),
    "4000000000000069": Decline("expired_card", "expired_card", "Your card has expired."),
    "4000000000000127": Decline("incorrect_cvc", "incorrect_cvc", "Your card's security code is incorrect."),
    "4000000000000119": Decline(
        "processing_error",
        "processing_error",
        "An error occurred while processing your card. Try again in a little bit.",
    ),
}
FAILING_REFUND, SLOW_REFUND = "4000000000005126", "4000000000007726"
FRAUDULENT_DISPUTE, INQUIRY = "4000000000000259", "4000000000001976"
GOOD = {
    FAILING_REFUND: "visa",
    SLOW_REFUND: "visa",
    FRAUDULENT_DISPUTE: "visa",
    INQUIRY: "visa",
    "4242424242424242": "visa",
    "4000056655665556": "visa",
    "5555555555554444": "mastercard",
    "378282246310005": "amex",
    "6011111111111117": "discover",
}
NOT_A_TEST_CARD = Decline(
    "card_declined",
    "test_mode_live_card",
    "Your card was declined. Your request was in test mode, but used a non test card.",
)


def read_card(number: str) -> Card:
    """The card behind what a buyer typed, spaces and dashes ignored; raises StripeError for what is no card number."""
    digits = re.sub(r"[\s-]", "", number)
    if not digits:
        raise _refused("Your card number is incomplete.", "incomplete_number")
    if not re.fullmatch(r"[0-9]{13,19}", digits) or not _luhn(digits):
        raise _refused("Your card number is incorrect.", "incorrect_number")
    decline = DECLINES.get(digits) or (None if digits in GOOD else NOT_A_TEST_CARD)
    return Card(digits, GOOD.get(digits, "visa"), decline)


def _refused(message: str, code: str) -> StripeError:
    return StripeError(message, status=402, type="card_error", code=code, param="number")


def _luhn(digits: str) -> bool:
    doubled = (int(digit) * (2 if index % 2 else 1) for index, digit in enumerate(reversed(digits)))
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0
