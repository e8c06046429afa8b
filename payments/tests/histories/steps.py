"""What can happen in a history, and how hypothesis draws one. A history prints as the list of its steps."""

from dataclasses import dataclass, fields
from enum import Enum

from hypothesis import strategies as st

STUDENTS, COURSES = 2, 2
LONGEST = 8


class Do(Enum):
    CHECKOUT = "checkout"
    CHECKOUT_CART = "checkout of both courses"
    BUY = "checkout, then pay by card"
    PAY = "pay an open page by card"
    DECLINE = "try a card that is declined"
    DEBIT = "pay an open page by bank debit"
    DEBIT_COMES = "the bank sends the money"
    DEBIT_FAILS = "the bank does not send the money"
    CLOSE_PAGE = "the page expires"
    TIME_PASSES = "every open page expires, expire_orders"
    LAND = "landing page"
    REFUND = "we refund all"
    REFUND_PART = "we refund a part"
    REFUND_ITEM = "we refund an item"
    DASHBOARD_REFUND = "the Dashboard refunds all"
    DASHBOARD_REFUND_PART = "the Dashboard refunds a part"
    SLOW_REFUND = "the Dashboard refunds a part, pending"
    REFUND_FAILS = "a refund fails"
    REFUND_SUCCEEDS = "a pending refund succeeds"
    INQUIRY = "a bank inquires"
    DISPUTE = "a payment is disputed"
    DISPUTE_LOST = "a payment is disputed and lost at once"
    DISPUTE_MOVES = "a dispute moves on"
    NEW_PRICE = "the price changes"
    FREE = "the course becomes free"
    UNPUBLISH = "the course is unpublished"
    NEW_EMAIL = "the student changes the address"
    CLOSE_ACCOUNT = "the account is closed"
    STAFF_GRANT = "staff grants the course"


OFTEN = (
    *(Do.BUY, Do.BUY, Do.BUY, Do.BUY, Do.BUY, Do.CHECKOUT, Do.PAY, Do.PAY, Do.LAND, Do.REFUND, Do.REFUND),
    *(Do.REFUND_PART, Do.REFUND_PART, Do.DASHBOARD_REFUND, Do.DASHBOARD_REFUND_PART, Do.DASHBOARD_REFUND_PART),
    *(Do.DISPUTE, Do.DISPUTE, Do.DISPUTE_MOVES, Do.DISPUTE_MOVES, Do.DISPUTE_MOVES, Do.REFUND_FAILS),
    *(Do.DEBIT, Do.DEBIT_COMES, Do.STAFF_GRANT),
)


class Fate(Enum):
    """What becomes of the deliveries of one event."""

    ARRIVES = "arrives"
    THIN = "arrives, thin"
    TWICE = "arrives twice"
    SECOND_ID = "arrives under two ids"
    LATE = "arrives two steps later"
    LOST = "is lost"


@dataclass(frozen=True)
class Step:
    """One thing that happens. `pick` chooses among the pages, payments, refunds or disputes that it can happen to.

    `crash` is the database step before which our process dies (None: it lives), `answer_lost` cuts Stripe's answer to
    what we ask it to do. `fates` are given to the events that follow, in turn; `delivery_crash` is like `crash`, for
    the first of them. A step that `waits` lets what goes on come to its end before the next one begins.
    """

    do: Do
    student: int = 0
    course: int = 0
    pick: int = 0
    crash: int | None = None
    answer_lost: bool = False
    fates: tuple[Fate, ...] = (Fate.ARRIVES,)
    delivery_crash: int | None = None
    comes_again: bool = True
    waits: bool = True

    def __repr__(self) -> str:
        told = [
            f"{field.name}={_plain(getattr(self, field.name))}"
            for field in fields(self)
            if getattr(self, field.name) != field.default
        ]
        return f"Step({', '.join(told)})"


@dataclass(frozen=True)
class History:
    """`is_lossless`: every event arrives in the end, so that no reconciliation is needed. Policies as in settings."""

    steps: tuple[Step, ...]
    is_lossless: bool = False
    double_payment: str = "refund"
    dispute_opened: str = "suspend"
    dispute_won: str = "restore"
    dispute_lost: str = "revoke"

    def __repr__(self) -> str:
        names = ("is_lossless", "double_payment", "dispute_opened", "dispute_won", "dispute_lost")
        told = "".join(f"    {name}={getattr(self, name)!r},\n" for name in names)
        steps = "".join(f"        {step!r},\n" for step in self.steps)
        return f"History(\n    steps=(\n{steps}    ),\n{told})"


def _plain(value: object) -> str:
    if isinstance(value, Enum):
        return str(value)
    return f"({''.join(f'{each}, ' for each in value)})" if isinstance(value, tuple) else repr(value)


_fates = st.lists(st.sampled_from([Fate.ARRIVES, *Fate]), min_size=1, max_size=3).map(tuple)


def _rarely(value: st.SearchStrategy[int], one_in: int) -> st.SearchStrategy[int | None]:
    return st.sampled_from([*[False] * (one_in - 1), True]).flatmap(lambda happens: value if happens else st.none())


def _steps(do: st.SearchStrategy[Do]) -> st.SearchStrategy[Step]:
    return st.builds(
        Step,
        do=do,
        student=st.integers(0, STUDENTS - 1),
        course=st.integers(0, COURSES - 1),
        pick=st.integers(0, 3),
        crash=_rarely(st.integers(0, 60), one_in=5),
        answer_lost=st.sampled_from([False] * 6 + [True]),
        fates=_fates,
        delivery_crash=_rarely(st.integers(0, 60), one_in=3),
        comes_again=st.booleans(),
        waits=st.booleans(),
    )


def histories(longest: int = LONGEST) -> st.SearchStrategy[History]:
    """Histories of a purchase and up to `longest` - 1 further steps."""
    first = _steps(st.sampled_from([*[Do.BUY] * 5, Do.CHECKOUT, Do.CHECKOUT_CART, Do.STAFF_GRANT]))
    rest = st.lists(_steps(st.sampled_from([*OFTEN, *Do])), min_size=3, max_size=longest - 1)
    return st.builds(
        History,
        steps=st.tuples(first, rest).map(lambda both: (both[0], *both[1])),
        is_lossless=st.booleans(),
        double_payment=st.sampled_from(["refund", "refund", "flag"]),
        dispute_opened=st.sampled_from(["suspend", "suspend", "flag"]),
        dispute_won=st.sampled_from(["restore", "restore", "flag"]),
        dispute_lost=st.sampled_from(["revoke", "revoke", "flag"]),
    )
