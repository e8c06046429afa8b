"""What can happen in a history, how one is drawn and made shorter. A history prints as the code that makes it."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from enum import Enum
from random import Random

STUDENTS, COURSES = 2, 2
LONGEST = 9


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
    PROMOTION = "a promotion code is typed into an open page"
    NEW_PRICE = "the price changes"
    FREE = "the course becomes free"
    UNPUBLISH = "the course is unpublished"
    NEW_EMAIL = "the student changes the address"
    CLOSE_ACCOUNT = "the account is closed"
    STAFF_GRANT = "staff grants the course"


# What a step needs to have happened before it, and how often it is drawn then.
WEIGHTS = {
    Do.CHECKOUT: (None, 3),
    Do.CHECKOUT_CART: (None, 2),
    Do.BUY: (None, 8),
    Do.PAY: ("page", 6),
    Do.DECLINE: ("page", 1),
    Do.DEBIT: ("page", 3),
    Do.DEBIT_COMES: ("debit", 6),
    Do.DEBIT_FAILS: ("debit", 4),
    Do.CLOSE_PAGE: ("page", 2),
    Do.TIME_PASSES: ("page", 2),
    Do.LAND: ("page", 3),
    Do.REFUND: ("money", 4),
    Do.REFUND_PART: ("money", 4),
    Do.REFUND_ITEM: ("money", 3),
    Do.DASHBOARD_REFUND: ("money", 3),
    Do.DASHBOARD_REFUND_PART: ("money", 4),
    Do.SLOW_REFUND: ("money", 2),
    Do.REFUND_FAILS: ("refund", 6),
    Do.REFUND_SUCCEEDS: ("refund", 3),
    Do.INQUIRY: ("money", 2),
    Do.DISPUTE: ("money", 4),
    Do.DISPUTE_LOST: ("money", 2),
    Do.DISPUTE_MOVES: ("dispute", 12),
    Do.PROMOTION: ("page", 2),
    Do.NEW_PRICE: (None, 2),
    Do.FREE: (None, 1),
    Do.UNPUBLISH: (None, 1),
    Do.NEW_EMAIL: ("page", 2),
    Do.CLOSE_ACCOUNT: ("page", 1),
    Do.STAFF_GRANT: (None, 2),
}
LEADS_TO = {
    Do.CHECKOUT: ("page",),
    Do.CHECKOUT_CART: ("page",),
    Do.BUY: ("page", "money"),
    Do.PAY: ("money",),
    Do.DEBIT: ("debit",),
    Do.DEBIT_COMES: ("money",),
    Do.REFUND: ("refund",),
    Do.REFUND_PART: ("refund",),
    Do.DASHBOARD_REFUND: ("refund",),
    Do.DASHBOARD_REFUND_PART: ("refund",),
    Do.SLOW_REFUND: ("refund",),
    Do.INQUIRY: ("dispute",),
    Do.DISPUTE: ("dispute",),
    Do.DISPUTE_LOST: ("dispute",),
}


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
    delivery_pause: int | None = None
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


def draw_history(random: Random, *, longest: int = LONGEST) -> History:
    """A history of `longest` - 3 steps at least; the same for the same random numbers."""
    steps: list[Step] = []
    happened: set[str] = set()
    for _ in range(random.randint(longest - 3, longest)):
        steps.append(_draw_step(random, _draw_do(random, happened)))
        happened.update(LEADS_TO.get(steps[-1].do, ()))
    return History(
        steps=tuple(steps),
        is_lossless=random.random() < 0.4,
        double_payment=random.choice(["refund", "refund", "flag"]),
        dispute_opened=random.choice(["suspend", "suspend", "flag"]),
        dispute_won=random.choice(["restore", "restore", "flag"]),
        dispute_lost=random.choice(["revoke", "revoke", "flag"]),
    )


def shorten(history: History, is_broken: Callable[[History], bool], *, seconds: float) -> History:
    """The plainest history found in that time that is broken too; it may have been broken by chance of timing."""
    ends = time.monotonic() + seconds
    is_plainer = True
    while is_plainer:
        is_plainer = False
        for plainer in _plainer(history):
            if time.monotonic() > ends:
                return history
            if is_broken(plainer):
                history, is_plainer = plainer, True
                break
    return history


def _draw_do(random: Random, happened: set[str]) -> Do:
    if not happened:
        return random.choice([Do.BUY, Do.BUY, Do.BUY, Do.CHECKOUT, Do.CHECKOUT_CART, Do.STAFF_GRANT])
    possible = {do: weight for do, (need, weight) in WEIGHTS.items() if need is None or need in happened}
    return random.choices(list(possible), list(possible.values()))[0]


def _draw_step(random: Random, do: Do) -> Step:
    return Step(
        do,
        student=random.randrange(STUDENTS),
        course=random.randrange(COURSES),
        pick=random.randrange(4),
        crash=random.randrange(60) if random.random() < 0.2 else None,
        answer_lost=random.random() < 0.15,
        fates=(Fate.LOST,) if random.random() < 0.2 else tuple(random.choices([Fate.ARRIVES, *Fate], k=3)),
        delivery_crash=random.randrange(60) if random.random() < 0.3 else None,
        delivery_pause=random.choice([0, 1, 1, 1, 2]) if random.random() < 0.15 else None,
        comes_again=random.random() < 0.5,
        waits=random.random() < 0.5,
    )


def _plainer(history: History) -> Iterator[History]:
    """Without one step, or with one thing as usual that was not."""
    steps = history.steps
    for number in range(len(steps)):
        yield replace(history, steps=steps[:number] + steps[number + 1 :])
    for field in fields(History)[1:]:
        if getattr(history, field.name) != field.default:
            yield replace(history, **{field.name: field.default})
    for number, step in enumerate(steps):
        for field in fields(Step)[1:]:
            if getattr(step, field.name) != field.default:
                plainer = replace(step, **{field.name: field.default})
                yield replace(history, steps=(*steps[:number], plainer, *steps[number + 1 :]))
