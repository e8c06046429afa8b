from collections.abc import Iterable
from dataclasses import dataclass

from sandbox.store import Record, Store
from sandbox.stripe import money_back
from sandbox.stripe.events import Events
from sandbox.stripe.settings import Settings

SESSIONS, INTENTS, CHARGES = "stripe.sessions", "stripe.payment_intents", "stripe.charges"
DETAILS, CARDS = "stripe.session_details", "stripe.cards"
REFUNDS, DISPUTES, TRANSACTIONS = "stripe.refunds", "stripe.disputes", "stripe.balance_transactions"
PAYMENT_METHODS = "stripe.payment_methods"
COUPONS, PROMOTION_CODES = "stripe.coupons", "stripe.promotion_codes"


@dataclass(frozen=True)
class News:
    """An event that a change has earned; told once the change is stored and the lock is free."""

    kind: str
    subject: Record
    is_waited_for: bool = False


class Ledger:
    """Where sessions, charges, refunds and disputes are kept, and from where the world is told of their changes.

    Hold `store.lock` around a read and the changes that follow from it; never while telling.
    """

    def __init__(self, store: Store, settings: Settings, events: Events) -> None:
        self.store = store
        self.settings = settings
        self._events = events

    def keep(self, collection: str, record: Record) -> Record:
        self.store.put(collection, record["id"], record)
        return record

    def change(self, collection: str, record: Record, values: Record) -> Record:
        return self.keep(collection, record | values)

    def book(self, kind: str, amount: int, *, currency: str, source: str, fee: int = 0) -> Record:
        """Move money on the account's balance: `amount` and `fee` in minor units, negative when it leaves."""
        now = self.settings.now()
        return self.keep(
            TRANSACTIONS,
            money_back.balance_transaction(kind, amount, currency=currency, source=source, fee=fee, now=now),
        )

    def tell(self, news: Iterable[News], wait_s: float = 0) -> None:
        """Emit the events in order; waits up to `wait_s` seconds for the answer to the one that is waited for."""
        for item in news:
            self._events.emit(item.kind, item.subject, wait_s=wait_s if item.is_waited_for else 0)
