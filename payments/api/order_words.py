"""How an order stands, in one sentence for its student."""

from dataclasses import dataclass

from payments.models import MONEY_CAME, Access, OrderStatus

_UNPAID = {
    OrderStatus.DRAFT: "This order is not finished yet.",
    OrderStatus.PENDING: "We have no payment yet; if you have just paid, it shows up here within a few minutes.",
    OrderStatus.PROCESSING: "Your bank is still sending the money, which can take some days; we will mail you as soon "
    "as it is here.",
    OrderStatus.FAILED: "The payment did not go through, so nothing was bought; you can try again.",
    OrderStatus.EXPIRED: "The checkout ran out before it was paid, so nothing was charged; you can start again.",
}
_UNDER_REVIEW = (
    "Your payment has come but could not be matched with this order; we look into it, so please do not pay again."
)
_SEEN_TO = "Your payment could not be matched with this order; our staff has dealt with it."
_RETURNED = "Your payment could not be matched with this order, so we gave the money back."
_BANKS_TAKE = "banks take five to ten days to show it"


@dataclass(frozen=True, kw_only=True)
class OrderInWords:
    """What the sentence is made from, amounts in minor units.

    `refunded_minor` is all that went back, `given_minor` what of it refunds gave back; a bank took the rest.
    `has_unmatched` tells that money came which gave nothing, `is_under_review` that a person still has to look at it.
    """

    status: str
    total_minor: int
    accesses: tuple[str, ...]
    is_duplicate: bool
    has_unmatched: bool
    is_under_review: bool
    refunded_minor: int
    given_minor: int

    def sentence(self) -> str:
        """The state of the order, and what happens next or what the student can do."""
        if self.status not in MONEY_CAME and self.has_unmatched:
            return self._unmatched()
        if self.status == OrderStatus.PAID:
            return self._paid()
        if self.status == OrderStatus.DISPUTED:
            return self._disputed()
        if self.status == OrderStatus.PARTIALLY_REFUNDED:
            return self._partly_refunded()
        if self.status == OrderStatus.REFUNDED:
            return self._refunded()
        return _UNPAID[OrderStatus(self.status)]

    @property
    def _courses(self) -> str:
        return "course" if len(self.accesses) == 1 else "courses"

    @property
    def _verb(self) -> str:
        return "is" if len(self.accesses) == 1 else "are"

    def _has(self, access: Access) -> bool:
        return access in self.accesses

    def _unmatched(self) -> str:
        if self.is_under_review:
            return _UNDER_REVIEW
        return _RETURNED if self.refunded_minor else _SEEN_TO

    def _paid(self) -> str:
        if self._has(Access.SUSPENDED):
            return f"Your bank has decided about this payment; we open the {self._courses} again by hand."
        how = "Paid" if self.total_minor else "Free"
        if not self._has(Access.GRANTED):
            return self._paid_and_closed(how)
        if self.refunded_minor:
            return f"Paid: the {self._courses} {self._verb} yours, and what you paid twice was given back."
        return f"{how}: the {self._courses} {self._verb} yours."

    def _paid_and_closed(self, how: str) -> str:
        if self._has(Access.REVOKED):  # what was given back in full is paid again when the bank returns it to us
            return f"Your refund did not reach you, and the {self._courses} {self._verb} closed; we will write to you."
        return f"{how}: we open the {self._courses} for you within minutes."

    def _disputed(self) -> str:
        if self._has(Access.GRANTED) or not self._has(Access.SUSPENDED):
            return "Your bank is looking at this payment; nothing changes for you meanwhile."
        return f"Your bank is looking at this payment; the {self._courses} {self._verb} paused until it has decided."

    def _partly_refunded(self) -> str:
        if not self._has(Access.GRANTED):
            return "Part of the money was given back, and this order no longer opens a course."
        if self._has(Access.REVOKED):
            return "Part of the money was given back, for what is no longer open to you; the rest stays yours."
        return f"Part of the money was given back; the {self._courses} {self._stay} yours."

    @property
    def _stay(self) -> str:
        return "stays" if len(self.accesses) == 1 else "stay"

    def _refunded(self) -> str:
        if self._has(Access.GRANTED):
            return f"The money was given back; the {self._courses} {self._stay} open to you."
        if self.given_minor == 0:
            return f"Your bank has returned the money, so this order no longer opens the {self._courses}."
        if self.is_duplicate:
            return f"You had the course already, so the money was given back; {_BANKS_TAKE}."
        return f"The money was given back, so this order no longer opens the {self._courses}; {_BANKS_TAKE}."
