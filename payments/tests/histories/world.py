"""Where a history happens: who and what there is, and how we hear of what happens at Stripe."""

import json
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from random import Random
from typing import Any

from django.utils import timezone

from courses.tests.factories import make_course
from payments.errors import PaymentsError
from payments.services.refunds import resume_refunds
from payments.tests.buying import post, signed
from payments.tests.histories.crashes import Crash, dying_at, held_up_before
from payments.tests.histories.crew import Crew
from payments.tests.histories.steps import COURSES, STUDENTS, Do, Fate, History, Step
from sandbox.server import Sandbox
from sandbox.store import Record
from sandbox.stripe import thin
from users.tests.factories import make_user

LATER = 2
MOST_ROUNDS = 8
COUPONS = ({"percent_off": 50.0, "duration": "once"}, {"percent_off": 100.0, "duration": "once"})


@dataclass(frozen=True)
class Delivery:
    body: dict[str, Any]
    crash: int | None
    pause: int | None
    comes_again: bool


@dataclass
class World:
    """The state of one history while it happens. `problems` is what must never be seen, at any time."""

    sandbox: Sandbox
    crew: Crew
    history: History
    counts: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)
    addresses: dict[int, set[str]] = field(default_factory=dict)
    paid_before_closing: dict[int, set[str]] = field(default_factory=dict)
    lost_marks: int = 0

    def __post_init__(self) -> None:
        self.students = [make_user() for _ in range(STUDENTS)]
        self.courses = [make_course(price_minor=4900 - 1900 * number) for number in range(COURSES)]
        self.addresses = {user.pk: {user.email} for user in self.students}
        coupons = [self.sandbox.stripe.discounts.create_coupon(terms) for terms in COUPONS]
        offers = [{"promotion": {"type": "coupon", "coupon": coupon["id"]}} for coupon in coupons]
        self.codes = [self.sandbox.stripe.discounts.create_promotion_code(offer)["code"] for offer in offers]
        self._lock = threading.Lock()
        self._told = 0
        self._late: list[tuple[int, Delivery]] = []
        self._again: list[Delivery] = []
        self._random = Random(repr(self.history))

    def settle(self) -> None:
        """Until nothing is on its way any more."""
        last = Step(Do.LAND) if self.history.is_lossless else replace(self.history.steps[-1], delivery_crash=None)
        self.sandbox.context.faults.clear()
        for _ in range(MOST_ROUNDS):
            self.crew.wait()
            again, self._again = self._again, []
            for delivery in again:
                self._send(replace(delivery, crash=None, pause=None, comes_again=self.history.is_lossless))
            if not (self.tell(last, now=len(self.history.steps) + LATER) or again):
                return
        if self._again:
            self.problems.append(f"{len(self._again)} deliveries were never accepted")

    def resume(self) -> None:
        """What the sweep of refunds does some minutes later, and what Stripe then tells."""
        resume_refunds(now=timezone.now() + timedelta(minutes=5))
        self.settle()

    def pick(self, step: Step, fits: Callable[[Record], bool]) -> Record | None:
        """One of the sessions that fit, as the step chooses."""
        fitting = [session for session in self.sandbox.stripe.sessions() if fits(session)]
        return fitting[step.pick % len(fitting)] if fitting else None

    def lose_answer(self, step: Step, path: str) -> None:
        """Let Stripe do what it is asked at `path` next and its answer go astray, if the step says so."""
        if step.answer_lost:
            times = 1 + step.pick % 2  # the SDK asks twice
            how = {"after": True, "drop": True} if step.pick < 2 else {"status": 503}
            self.sandbox.fault(service="stripe", path=path, times=times, **how)
            self.counts["answers lost"] += 1

    def ours(self, step: Step, call: Callable[[], object]) -> None:
        """Let a worker do something of ours, which dies where the step says."""

        def work() -> None:
            try:
                with dying_at(step.crash):
                    call()
            except Crash as crash:
                self._note(crash)
            except PaymentsError:
                self.counts["refused"] += 1

        self.crew.give(work)

    def tell(self, step: Step, *, now: int) -> bool:
        """Give the deliveries that are due to the crew, in any order; False when there were none."""
        news = self.sandbox.stripe.events()[self._told :]
        self._told += len(news)
        subscribed = self.sandbox.stripe.settings.enabled_events
        events = [event for event in news if event["type"] in subscribed]
        due = [delivery for at, delivery in self._late if at <= now]
        self._late = [(at, delivery) for at, delivery in self._late if at > now]
        for number, event in enumerate(events):
            fate = step.fates[number % len(step.fates)]
            crash, pause = (step.delivery_crash, step.delivery_pause) if number == 0 else (None, None)
            delivery = Delivery(event, crash, pause, step.comes_again or self.history.is_lossless)
            self.counts["events"] += 1
            self.counts[str(fate.value)] += 1
            if fate is Fate.LATE:
                self._late.append((now + LATER, delivery))
            elif fate is not Fate.LOST or self.history.is_lossless:
                due += _forms(delivery, fate)
        self._random.shuffle(due)
        for delivery in due:
            self._send(delivery)
        return bool(events or due)

    def _send(self, delivery: Delivery) -> None:
        self.crew.give(lambda: self._deliver(delivery))

    def _deliver(self, delivery: Delivery) -> None:
        self.counts["deliveries"] += 1
        body = json.dumps(delivery.body).encode()
        try:
            with held_up_before(delivery.pause, self.crew.rest), dying_at(delivery.crash):
                answer = post(body, signed(body))
        except Crash as crash:
            self._note(crash)
            status = 0
        else:
            status = answer.status_code
            if status not in (200, 503):
                self.problems.append(f"{delivery.body['type']} was answered {status}")
        if status != 200:
            self.counts["not accepted"] += 1
            if delivery.comes_again:
                with self._lock:
                    self._again.append(delivery)

    def _note(self, crash: Crash) -> None:
        with self._lock:
            self.counts["crashes"] += 1
            self.lost_marks += crash.loses_mark


def _forms(delivery: Delivery, fate: Fate) -> list[Delivery]:
    event = delivery.body
    if fate is Fate.THIN:
        return [replace(delivery, body=thin.notification(event))]
    if fate is Fate.TWICE:
        return [delivery, delivery]
    if fate is Fate.SECOND_ID:
        return [delivery, replace(delivery, body=event | {"id": f"{event['id']}_second"})]
    return [delivery]
