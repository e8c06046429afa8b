"""What came in and went back, by day and by course, in one currency.

Days are days in UTC. Money counts on the day it moved: a payment when it was paid, a refund and a lost dispute when
they were made. A payment that does not fit its order is left out with all that became of it: what it took is known to
the provider alone.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.db import connection
from django.db.models import F, Q, QuerySet, Sum
from django.db.models.functions import TruncDate

from courses.models import Course
from payments.models import SETTLED, Dispute, DisputeStatus, FailureCode, Payment, Refund
from payments.sql import MONEY_BY_COURSE

_TAKEN = Q(status__in=SETTLED) | Q(failure_code__in=[FailureCode.USER_GONE, FailureCode.ORDER_GONE])
_FITS = ~Q(payment__failure_code=FailureCode.MISMATCH)
WITHOUT_COURSE = "orders that are gone"


@dataclass(kw_only=True)
class Figures:
    """Amounts in minor units."""

    gross_minor: int = 0
    refunded_minor: int = 0
    lost_minor: int = 0

    @property
    def net_minor(self) -> int:
        return self.gross_minor - self.refunded_minor - self.lost_minor

    def add(self, kind: str, amount_minor: int) -> None:
        """Count an amount of the kind `gross`, `refunded` or `lost`."""
        name = f"{kind}_minor"
        setattr(self, name, getattr(self, name) + amount_minor)


@dataclass(frozen=True, kw_only=True)
class Revenue:
    """`days` holds every day of the period, `courses` those with money, the most net first."""

    currency: str
    first: date
    last: date
    total: Figures
    days: list[tuple[date, Figures]]
    courses: list[tuple[str, Figures]]


def revenue(*, first: date, last: date, currency: str) -> Revenue:
    """The money of the days `first` to `last` in a currency; five statements however much there is."""
    start = datetime.combine(first, time(), UTC)
    end = datetime.combine(last + timedelta(days=1), time(), UTC)
    by_day = _by_day(start, end, currency)
    total = Figures()
    for figures in by_day.values():
        for kind in ("gross", "refunded", "lost"):
            total.add(kind, getattr(figures, f"{kind}_minor"))
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    return Revenue(
        currency=currency,
        first=first,
        last=last,
        total=total,
        days=[(day, by_day.get(day) or Figures()) for day in days],
        courses=_by_course(start, end, currency),
    )


def latest_currency(default: str) -> str:
    """The currency of the newest payment, `default` before there is any."""
    newest = Payment.objects.exclude(paid_at=None).order_by("-paid_at").values_list("currency", flat=True).first()
    return newest or default


def _by_day(start: datetime, end: datetime, currency: str) -> dict[date, Figures]:
    paid = Payment.objects.filter(_TAKEN, currency=currency, paid_at__gte=start, paid_at__lt=end)
    within = Q(currency=currency, created_at__gte=start, created_at__lt=end) & _FITS
    sums = {
        "gross": _daily(paid, "paid_at", F("amount_minor") - F("discount_minor")),
        "refunded": _daily(Refund.objects.given_back().filter(within), "created_at", F("amount_minor")),
        "lost": _daily(Dispute.objects.filter(within, status=DisputeStatus.LOST), "created_at", F("amount_minor")),
    }
    found: dict[date, Figures] = defaultdict(Figures)
    for kind, rows in sums.items():
        for day, amount_minor in rows:
            found[day].add(kind, amount_minor)
    return found


def _daily(rows: QuerySet[Any], moment: str, amount: Any) -> list[tuple[date, int]]:
    by_day = rows.order_by().annotate(day=TruncDate(moment, tzinfo=UTC)).values("day")
    return list(by_day.annotate(sum_minor=Sum(amount)).values_list("day", "sum_minor"))


def _by_course(start: datetime, end: datetime, currency: str) -> list[tuple[str, Figures]]:
    moments = {name: connection.ops.adapt_datetimefield_value(at) for name, at in (("start", start), ("end", end))}
    found: dict[int | None, Figures] = defaultdict(Figures)
    with connection.cursor() as cursor:
        cursor.execute(MONEY_BY_COURSE, {"currency": currency, **moments})
        for course_id, kind, amount_minor in cursor.fetchall():
            found[course_id].add(kind, int(amount_minor))
    titles = dict(Course.objects.filter(pk__in=[key for key in found if key]).values_list("pk", "title"))
    named = [(titles.get(key, WITHOUT_COURSE) if key else WITHOUT_COURSE, figures) for key, figures in found.items()]
    return sorted(named, key=lambda row: (-row[1].net_minor, row[0]))
