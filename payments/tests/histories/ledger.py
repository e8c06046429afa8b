"""What must be so, computed from the stand-in's books alone and by the written rules; our services have no part in it.

Of our own rows only what Stripe cannot know is taken: which order an attempt belongs to, what it costs, which items a
refund of ours names.
"""

from dataclasses import dataclass, field
from itertools import accumulate

from payments.tests.histories.steps import History
from sandbox.server import Sandbox
from sandbox.store import Record

INTENTS, CHARGES = "stripe.payment_intents", "stripe.charges"
TAKEN_BACK = ("failed", "canceled")
INQUIRY = ("warning_needs_response", "warning_under_review")
OPEN_DISPUTE = ("needs_response", "under_review", "appeal_needs_response", "appeal_under_review")
CLOSED_DISPUTE = ("won", "lost", "prevented")


def is_open(session: Record) -> bool:
    return bool(session["status"] == "open")


def is_paid(session: Record) -> bool:
    return bool(session["status"] == "complete" and session["payment_status"] != "unpaid")


def waits_for_bank(sandbox: Sandbox, session: Record) -> bool:
    intent = sandbox.context.store.get(INTENTS, session["payment_intent"] or "") or {}
    return bool(session["status"] == "complete" and intent.get("status") == "processing")


@dataclass(frozen=True)
class Bought:
    """One session in Stripe's books and all that became of its money. `outcome`: open, paid, waiting, failed, expired.

    `claimed_minor` is the most that was given back at any time, refunds that failed later included.
    """

    session_id: str
    payment_id: str
    order_id: str
    outcome: str
    intent_id: str | None
    charge_id: str
    paid_minor: int
    discount_minor: int
    refunds: tuple[Record, ...]
    disputes: tuple[Record, ...]
    claimed_minor: int

    @property
    def lost_minor(self) -> int:
        return sum(dispute["amount"] for dispute in self.disputes if dispute["status"] == "lost")

    @property
    def back_minor(self) -> int:
        """Given back or lost to the bank, never more than came in."""
        given = sum(refund["amount"] for refund in self.refunds if refund["status"] not in TAKEN_BACK)
        return min(self.paid_minor, given + self.lost_minor)

    @property
    def is_disputed(self) -> bool:
        return any(dispute["status"] in OPEN_DISPUTE for dispute in self.disputes)

    @property
    def is_won(self) -> bool:
        return any(dispute["status"] == "won" for dispute in self.disputes)


@dataclass(frozen=True)
class Attempt:
    """What our rows add to Stripe's books: `number` of the attempt, and whether we closed it ourselves (`is_closed`).

    `is_for_nobody`: the account was closed when the money came.
    """

    number: int
    bought: Bought | None
    is_closed: bool = False
    is_abandoned: bool = False
    is_for_nobody: bool = False

    @property
    def is_settled(self) -> bool:
        return self.bought is not None and self.bought.outcome == "paid" and not self.is_for_nobody

    @property
    def status(self) -> int:
        """1 pending, 2 completed, -1 failed, -2 refunded: fixed by contract."""
        if self.is_settled and self.bought is not None:
            is_all_back = 0 < self.bought.paid_minor == self.bought.back_minor
            return -2 if is_all_back else 2
        has_failed = self.bought is not None and self.bought.outcome in ("failed", "expired", "paid")
        return -1 if has_failed or self.is_closed else 1


@dataclass(frozen=True)
class Books:
    """Every session of Stripe's books, by its id."""

    sessions: dict[str, Bought] = field(default_factory=dict)

    @classmethod
    def of(cls, sandbox: Sandbox) -> "Books":
        return cls({session["id"]: _bought(sandbox, session) for session in sandbox.stripe.sessions()})

    def of_payment(self, payment_id: str) -> Bought | None:
        return next((each for each in self.sessions.values() if each.payment_id == payment_id), None)


def order_status(total_minor: int, attempts: list[Attempt]) -> str:
    """The status of an order whose attempts are given in their order."""
    settled = [attempt.bought for attempt in attempts if attempt.is_settled and attempt.bought]
    if total_minor > 0 and not settled:
        live = [attempt for attempt in attempts if attempt.status == 1]
        if any(attempt.bought and attempt.bought.outcome == "waiting" for attempt in live):
            return "processing"
        if live or not attempts:
            return "pending"
        return "expired" if attempts[-1].is_abandoned else "failed"
    if any(bought.is_disputed for bought in settled):
        return "disputed"
    if not settled:
        return "paid"
    prices = [bought.paid_minor for bought in settled if bought.back_minor < bought.paid_minor or not bought.paid_minor]
    if not prices:
        return "refunded"
    kept_minor = sum(bought.paid_minor - bought.back_minor for bought in settled)
    return "paid" if kept_minor >= min(prices) else "partially_refunded"


def access(status: str, attempts: list[Attempt], *, named_by: set[int], policy: History) -> str:
    """What one item of an order in this status gives: the best that one of the payments gives.

    `named_by`: the numbers of the attempts with a refund that Stripe has and kept and that names the item.
    """
    if status in ("pending", "processing", "failed", "expired"):
        return "none"
    settled = [attempt for attempt in attempts if attempt.is_settled]
    each = {_access_by(attempt.bought, attempt.number in named_by, policy) for attempt in settled if attempt.bought}
    return next((word for word in ("granted", "suspended", "revoked") if word in each), "granted")


def _access_by(bought: Bought, is_named: bool, policy: History) -> str:
    claimed_minor = bought.claimed_minor + bought.lost_minor * (policy.dispute_lost == "revoke")
    if is_named or 0 < bought.paid_minor <= claimed_minor:
        return "revoked"
    is_paused = bought.is_disputed or (policy.dispute_won == "flag" and bought.is_won)
    return "suspended" if is_paused and policy.dispute_opened == "suspend" else "granted"


def _bought(sandbox: Sandbox, session: Record) -> Bought:
    store, intent_id = sandbox.context.store, session["payment_intent"]
    intent = store.get(INTENTS, intent_id or "") or {}
    charge_id = intent.get("latest_charge") or ""
    mine = [refund for refund in sandbox.stripe.refunds() if intent_id and refund["payment_intent"] == intent_id]
    return Bought(
        session_id=session["id"],
        payment_id=session["metadata"].get("payment_id", ""),
        order_id=session["metadata"].get("order_id", ""),
        outcome=_outcome(session, intent),
        intent_id=intent_id,
        charge_id=charge_id,
        paid_minor=session["amount_total"],
        discount_minor=session["total_details"]["amount_discount"],
        refunds=tuple(mine),
        disputes=tuple(each for each in sandbox.stripe.disputes() if each["charge"] == charge_id and charge_id),
        claimed_minor=_claimed(sandbox, {refund["id"] for refund in mine}),
    )


def _outcome(session: Record, intent: Record) -> str:
    if session["status"] != "complete":
        return str(session["status"])
    if session["payment_status"] != "unpaid":
        return "paid"
    return "waiting" if intent["status"] == "processing" else "failed"


def _claimed(sandbox: Sandbox, refund_ids: set[str]) -> int:
    """The largest sum that was on its way back or given back at one time, by the events as they happened.

    Stripe's times are whole seconds: of what falls into one, going out is taken to come before coming back.
    """
    given: dict[str, int] = {}
    moves: list[tuple[int, int]] = []
    for event in sandbox.stripe.events():
        refund = event["data"]["object"]
        if refund["object"] == "refund" and refund["id"] in refund_ids:
            now_minor = 0 if refund["status"] in TAKEN_BACK else refund["amount"]
            moves.append((event["created"], given.get(refund["id"], 0) - now_minor))
            given[refund["id"]] = now_minor
    return max(accumulate((-minor for _, minor in sorted(moves)), initial=0))
