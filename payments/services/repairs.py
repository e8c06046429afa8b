"""One run that repairs: what it looked at, changed and could not repair; a rehearsal rolls every change back."""

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, TypeVar

from django.db import models
from django.db.models import Q

from payments.errors import ForeignSession, PaymentsError, ProviderMisconfigured, ProviderUnavailable
from payments.models import Order, OrderItem, Payment, PaymentStatus

logger = logging.getLogger(__name__)

PAGE = 500
CHUNK = 100
MOST_LINES = 1000
MOST_SILENCES = 3

Also = Callable[[Payment], None]
Progress = Callable[[str], None]
Item = TypeVar("Item")
Row = TypeVar("Row", bound=models.Model)


class RunStopped(Exception):
    """Stripe does not answer: nothing more is asked in this run."""


class StepStopped(Exception):
    """This step cannot go on, be it that it reached its limit or that Stripe refuses what it asks; the others can."""


class _Rehearsed(Exception):
    """Raised at the end of a transaction that is to be rolled back."""


@dataclass
class Count:
    """What one step did, in items."""

    looked_at: int = 0
    changed: int = 0
    foreign: int = 0


@dataclass(frozen=True, kw_only=True)
class Picture:
    """What of a payment and its order a repair can change."""

    payment_id: str
    payment: dict[str, Any]
    order: dict[str, Any]
    items: tuple[tuple[int, str], ...]

    @property
    def flags(self) -> str:
        return str(self.order.get("needs_attention", ""))


@dataclass
class Run:
    """The state of one run. `since` is where its window begins, `limit` the most that each step takes up."""

    now: datetime
    window: timedelta
    is_rehearsal: bool = False
    limit: int | None = None
    progress: Progress = field(default=lambda step: None)
    counts: dict[str, Count] = field(default_factory=dict)
    changes: list[str] = field(default_factory=list)
    problems: dict[str, str] = field(default_factory=dict)
    more_changes: int = 0
    more_problems: int = 0
    stopped: str = ""
    orders_waiting: int = 0
    paid_for_nobody: int = 0
    _silences: int = 0

    @property
    def since(self) -> datetime:
        return self.now - self.window

    @property
    def is_all_well(self) -> bool:
        return not (self.problems or self.stopped)

    def count(self, step: str) -> Count:
        return self.counts.setdefault(step, Count())

    def changed(self, step: str, line: str) -> None:
        """Note a change that was made, or that a rehearsal would make."""
        self.count(step).changed += 1
        if len(self.changes) < MOST_LINES:
            self.changes.append(line)
        else:
            self.more_changes += 1

    def problem(self, subject: str, text: str) -> None:
        """Note what stays unrepaired, once for each subject: the first words about it are the most exact."""
        if subject in self.problems:
            return
        if len(self.problems) < MOST_LINES:
            self.problems[subject] = text
        else:
            self.more_problems += 1

    def do(self, step: str, work: Callable[["Run"], None]) -> None:
        """Do one step; when it cannot go on, the run does all the same. Raises RunStopped."""
        self.count(step)
        try:
            work(self)
        except ProviderUnavailable as error:
            raise RunStopped(f"Stripe does not answer: {error}") from error
        except (StepStopped, PaymentsError) as error:
            self.problem(step, str(error))

    def attempt(
        self, step: str, subject: str, work: Callable[[Also], object], look: Callable[[], Payment | None] | None = None
    ) -> bool:
        """Do one repair and note what it changed in the payment that `look` finds; False when it failed.

        A failure is noted and never stops the others. Raises StepStopped at the limit and when Stripe refuses the key,
        RunStopped when Stripe was silent several times in a row.
        """
        self._start(step)
        before = _picture(look and look())
        after: list[Picture | None] = []

        def see(payment: Payment) -> None:
            after.append(_picture(payment))
            if self.is_rehearsal:
                raise _Rehearsed

        try:
            work(see)
        except _Rehearsed:
            pass
        except ForeignSession:
            self.count(step).foreign += 1
        except ProviderMisconfigured as error:
            raise StepStopped(f"Stripe refuses what our key asks: {error}") from error
        except ProviderUnavailable as error:
            self.problem(subject, f"could not be asked about: {error}")
            self._silences += 1
            if self._silences >= MOST_SILENCES:
                raise RunStopped(f"Stripe does not answer: {error}") from error
            return False
        except PaymentsError as error:
            self.problem(subject, f"{type(error).__name__}: {error}")
            return False
        except Exception as error:  # a fault of ours in one item must not keep the others from being repaired
            logger.exception("%s could not be repaired", subject)
            self.problem(subject, f"failed ({type(error).__name__}): see the log")
            return False
        self._silences = 0
        self._compare(step, before, after[-1] if after else _picture(look and look()))
        return True

    def roll_back(self) -> None:
        """Called last in a transaction of ours: nothing of it stays when this is a rehearsal."""
        if self.is_rehearsal:
            raise _Rehearsed

    def listed(self, step: str, listing: Iterable[Item]) -> Iterator[list[Item]]:
        """What Stripe lists, in chunks; raises StepStopped or RunStopped when the list cannot be read on."""
        items = iter(listing)
        while True:
            self.progress(step)
            try:
                chunk = list(islice(items, CHUNK))
            except ProviderUnavailable as error:
                raise RunStopped(f"Stripe does not answer: {error}") from error
            except PaymentsError as error:
                raise StepStopped(f"Stripe refuses to list this: {error}") from error
            if not chunk:
                return
            yield chunk

    def _start(self, step: str) -> None:
        count = self.count(step)
        if self.limit is not None and count.looked_at >= self.limit:
            raise StepStopped(f"more than {self.limit} (--limit): run again for the rest")
        count.looked_at += 1
        self.progress(step)

    def _compare(self, step: str, before: Picture | None, after: Picture | None) -> None:
        if after is None or after == before:
            return
        self.changed(step, _describe(before, after))
        if before is not None and after.flags != before.flags:
            self.problem(f"order {after.order['public_id']}", f"needs a person now: {after.flags}")


def pages(rows: "models.QuerySet[Row]", by: str) -> Iterator[list[Row]]:
    """The rows in the order of an indexed column, page after page, so that they may be changed meanwhile."""
    rows = rows.order_by(by, "pk")
    page = list(rows[:PAGE])
    while page:
        yield page
        last = page[-1]
        value = getattr(last, by)
        rest = rows.filter(Q(**{f"{by}__gte": value}), Q(**{f"{by}__gt": value}) | Q(pk__gt=last.pk))
        page = list(rest[:PAGE]) if len(page) == PAGE else []


def _picture(payment: Payment | None) -> Picture | None:
    if payment is None:
        return None
    facts = ("status", "is_processing", "failure_code", "session_id", "refunded_minor", "revision")
    payments = Payment.objects.filter(pk=payment.pk)
    order = Order.objects.filter(payments=payment).values("public_id", "status", "needs_attention").first()
    return Picture(
        payment_id=str(payment.public_id),
        payment=payments.values(*facts).get(),
        order=dict(order or {}),
        items=tuple(OrderItem.objects.filter(order__payments=payment).order_by("pk").values_list("pk", "access")),
    )


def _describe(before: Picture | None, after: Picture) -> str:
    was = f"{_status(before)} → " if before else ""
    words = [f"payment {after.payment_id}: {was}{_status(after)}"]
    if after.order:
        was = f"{before.order['status']} → " if before and before.order else ""
        words.append(f"order {after.order['public_id']}: {was}{after.order['status']}")
    return ", ".join(words)


def _status(picture: Picture) -> str:
    return PaymentStatus(picture.payment["status"]).label.lower()
