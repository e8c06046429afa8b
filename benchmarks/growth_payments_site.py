"""One database of the growth measurement of payments: `fill <orders>`, `measure <repeats>`, or `explain`."""

import json
import random
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import django

from benchmarks.deliveries import WEBHOOK, Stand, event_about, signature_of
from benchmarks.growth_payments_rows import COURSES, REGULARS, make_past

Call = Callable[[], Any]
Path = tuple[str, Callable[[], Call]]
GROWING = re.compile(r"(payments_\w+|courses_enrollment|mailing_outgoingmail|users_user)\b")
IN_SEQUENCE = re.compile(r"Seq Scan on (\w+)")


def main() -> int:
    django.setup()
    what, *rest = sys.argv[1:]
    if what == "fill":
        fill(int(rest[0]))
    elif what == "measure":
        measure(repeats=int(rest[0]))
    else:
        return explain()
    return 0


def fill(size: int) -> None:
    from django.core.management import call_command  # noqa: PLC0415 (settings first)
    from django.db import connection  # noqa: PLC0415

    call_command("migrate", verbosity=0)
    with connection.cursor() as cursor:
        make_past(cursor, size)


def measure(*, repeats: int) -> None:
    """For every line read, write one line of JSON: milliseconds of each repetition, by path."""
    paths = list(Visit().paths())
    for _ in sys.stdin:
        print(json.dumps({name: [_timed(prepare()) for _ in range(repeats)] for name, prepare in paths}), flush=True)


def explain() -> int:
    """Print the statements of each path, and which tables it reads from end to end; 1 when a path should not.

    Statements are explained as the planner would plan them now, with the same values.
    """
    found = False
    print("\n| path | statements | read from end to end |\n|---|---|---|")
    for name, prepare in Visit().paths():
        prepare()()
        call = prepare()
        with _statements() as statements:
            call()
        tables = sorted({table for statement in statements for table in _read_in_sequence(*statement)})
        found |= bool(tables) and not name.startswith("(")
        print(f"| {name} | {len(statements)} | {', '.join(tables)} |", flush=True)
    return int(found)


def _timed(call: Call) -> float:
    began = time.perf_counter()
    call()
    return (time.perf_counter() - began) * 1000


@contextmanager
def _statements() -> Iterator[list[tuple[str, Any]]]:
    from django.db import connection  # noqa: PLC0415

    kept: list[tuple[str, Any]] = []

    def keep(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if not sql.startswith(("SAVEPOINT", "RELEASE", "SELECT set_config")):
            kept.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(keep):
        yield kept


def _read_in_sequence(sql: str, params: Any) -> list[str]:
    from django.db import connection  # noqa: PLC0415

    from payments.admin.long_lists import MOST_COUNTED  # noqa: PLC0415

    # A count that ends at its bound may read in any order.
    is_bounded = sql.endswith(f"LIMIT {MOST_COUNTED}) subquery")
    if is_bounded or not sql.startswith(("SELECT", "UPDATE", "INSERT", "DELETE", "WITH")):
        return []
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {sql}", params)
        plan = "\n".join(line for (line,) in cursor.fetchall())
    return [table for table in IN_SEQUENCE.findall(plan) if GROWING.match(table)]


class Visit:
    """Students who buy, the deliveries that follow, and the people who look at it all."""

    def __init__(self) -> None:
        from django.conf import settings  # noqa: PLC0415
        from django.contrib.auth import get_user_model  # noqa: PLC0415
        from django.test import Client  # noqa: PLC0415

        self.chance = random.Random(time.time_ns())
        self.stand = Stand(settings.STRIPE_API_BASE)
        self.client, self.office = Client(SERVER_NAME="127.0.0.1"), Client(SERVER_NAME="127.0.0.1")
        self.people = get_user_model().objects
        boss, _ = self.people.get_or_create(username="boss", email="boss@bench.test", is_superuser=True, is_staff=True)
        self.office.force_login(boss)
        self.bought: list[dict[str, Any]] = []

    def paths(self) -> Iterator[Path]:
        """In the order of the table; what is bracketed is for comparison, or grows with what it adds up."""
        from payments.services.expiry import expire_orders  # noqa: PLC0415
        from payments.services.refunds import resume_refunds  # noqa: PLC0415
        from payments.services.revenue import revenue  # noqa: PLC0415

        today = datetime.now(UTC).date()

        def sum_up(days: int) -> Callable[[], Call]:
            return lambda: lambda: revenue(first=today - timedelta(days=days), last=today, currency="usd")

        yield "(calibration view)", lambda: lambda: self._get(self.client, "/calibration/")
        yield "(the stand-in: a session read)", self._read_alone
        yield "checkout of a course", lambda: self._buy
        yield "delivery: paid, verified, synced, granted", self._first_delivery
        yield "the same delivery again", self._repeated
        yield "a second event about the same payment", lambda: self._about("checkout.session.completed")
        yield "delivery: given back in part", self._refunded
        yield "my orders, 20", lambda: self._as_regular("/api/payments/orders/")
        yield "one of my orders, asked about", lambda: self._as_regular("/api/payments/orders/{order}/")
        yield "expiring orders, none due", lambda: expire_orders
        yield "resuming refunds, none left", lambda: resume_refunds
        yield "admin: an order", lambda: self._in_office("payments/order/{pk}/change/")
        yield "admin: orders", lambda: self._in_office("payments/order/")
        yield "admin: orders that need attention", lambda: self._in_office("payments/order/?needs_attention=yes")
        yield "(admin: orders of one status)", lambda: self._in_office("payments/order/?status__exact=paid")
        yield "(admin: orders by an address)", lambda: self._in_office("payments/order/?q=s77@bench.test")
        yield "admin: payments", lambda: self._in_office("payments/payment/")
        yield "admin: refunds", lambda: self._in_office("payments/refund/")
        yield "(admin: disputes)", lambda: self._in_office("payments/dispute/")
        yield "admin: events", lambda: self._in_office("payments/webhookevent/")
        yield "(revenue of 30 days)", sum_up(30)
        yield "(revenue of a year)", sum_up(365)

    def _buy(self) -> dict[str, Any]:
        """A checkout of somebody who has not bought for a year, of a course that hardly anybody has."""
        from courses.models import Enrollment  # noqa: PLC0415

        while True:
            user, course = self.chance.randrange(1_000, 200_000), self.chance.randrange(1, COURSES + 1)
            if not Enrollment.objects.filter(user=user, course=course).exists():
                break
        sent = json.dumps({"course_id": course})
        return dict(self._post("/api/payments/payments/", sent, {"Authorization": self._token(user)}).json())

    def _first_delivery(self) -> Call:
        self.bought.append(self.stand.pay(self._buy()["checkout_session_id"]))
        return self._about("checkout.session.completed")

    def _about(self, kind: str) -> Call:
        return self._delivered(event_about(kind, self.bought[-1]))

    def _repeated(self) -> Call:
        again = self._about("checkout.session.completed")
        again()
        return again

    def _refunded(self) -> Call:
        self._first_delivery()()
        return self._delivered(event_about("refund.created", self.stand.refund(self.bought[-1]["payment_intent"], 100)))

    def _delivered(self, event: dict[str, Any]) -> Call:
        body, signature = json.dumps(event), signature_of(event)
        return lambda: self._post(WEBHOOK, body, {"Stripe-Signature": signature})

    def _read_alone(self) -> Call:
        from payments import stripe  # noqa: PLC0415

        if not self.bought:
            self._first_delivery()
        return lambda: stripe.retrieve_session(self.bought[-1]["id"])

    def _as_regular(self, path: str) -> Call:
        from payments.models import Order  # noqa: PLC0415

        user = self.chance.randrange(1, REGULARS + 1)
        order = Order.objects.filter(user=user).order_by("created_at")[0].public_id
        headers = {"Authorization": self._token(user)}
        return lambda: self._get(self.client, path.format(order=order), headers)

    def _in_office(self, path: str) -> Call:
        pk = self.chance.randrange(1, 900)
        return lambda: self._get(self.office, f"/admin/{path.format(pk=pk)}")

    def _token(self, user: int) -> str:
        from rest_framework_simplejwt.tokens import AccessToken  # noqa: PLC0415

        return f"Bearer {AccessToken.for_user(self.people.get(pk=user))}"

    def _get(self, client: Any, path: str, headers: dict[str, str] | None = None) -> Any:
        return _must(client.get(path, headers=headers or {}))

    def _post(self, path: str, body: str, headers: dict[str, str]) -> Any:
        return _must(self.client.post(path, body, content_type="application/json", headers=headers))


def _must(answer: Any) -> Any:
    if answer.status_code >= 300:
        raise RuntimeError(f"{answer.status_code}: {answer.content[:500]!r}")
    return answer


if __name__ == "__main__":
    sys.exit(main())
