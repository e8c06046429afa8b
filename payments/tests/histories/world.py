"""Lets a history happen: students, banks and people at Stripe on one side, our services on the other."""

import json
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from random import Random
from typing import Any

from django.db import transaction
from django.utils import timezone

from courses.models import Course, Enrollment, EnrollmentSource
from courses.services import enroll
from courses.tests.factories import make_course
from payments import stripe
from payments.errors import PaymentsError
from payments.models import Order, OrderItem, Payment
from payments.services.checkout import start_checkout
from payments.services.expiry import expire_orders
from payments.services.refund_requests import request_refund
from payments.services.refunds import resume_refunds, send_refund
from payments.services.session_request import session_request
from payments.services.sync import apply_reading, sync_order
from payments.stripe import Reading
from payments.tests.buying import make_payment, post, signed
from payments.tests.histories.crashes import Crash, dying_at
from payments.tests.histories.crew import Crew
from payments.tests.histories.ledger import is_open, is_paid, waits_for_bank
from payments.tests.histories.steps import COURSES, STUDENTS, Do, Fate, History, Step
from sandbox.server import Sandbox
from sandbox.store import Record
from sandbox.stripe import thin
from sandbox.stripe.errors import StripeError
from users.models import User
from users.services import close_account
from users.tests.factories import make_user

DECLINED = "4000 0000 0000 0002"
LATER = 2
MOST_ROUNDS = 8
NEXT_OF_DISPUTE = {
    "warning_needs_response": ["needs_response", "warning_under_review", "warning_closed", "prevented"],
    "warning_under_review": ["needs_response", "warning_closed"],
    "needs_response": ["won", "lost", "under_review"],
    "under_review": ["won", "lost"],
    "lost": ["appeal_needs_response"],
    "appeal_needs_response": ["won", "lost", "appeal_under_review"],
    "appeal_under_review": ["won", "lost"],
}


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
        self._lock = threading.Lock()
        self._told = 0
        self._late: list[tuple[int, Delivery]] = []
        self._again: list[Delivery] = []
        self._random = Random(repr(self.history))

    def happen(self) -> None:
        """All steps, and every delivery that is to arrive, those that were answered badly once more."""
        for number, step in enumerate(self.history.steps):
            self.counts["steps"] += 1
            self._act(step)
            self._tell(step, now=number)
            if step.waits:
                self.crew.wait()
                self._tell(step, now=number)
        self.settle()

    def settle(self) -> None:
        """Until nothing is on its way any more."""
        last = Step(Do.LAND) if self.history.is_lossless else replace(self.history.steps[-1], delivery_crash=None)
        self.sandbox.context.faults.clear()
        for _ in range(MOST_ROUNDS):
            self.crew.wait()
            again, self._again = self._again, []
            for delivery in again:
                self._send(replace(delivery, crash=None, pause=None, comes_again=self.history.is_lossless))
            if not (self._tell(last, now=len(self.history.steps) + LATER) or again):
                return
        if self._again:
            self.problems.append(f"{len(self._again)} deliveries were never accepted")

    def resume(self) -> None:
        """What the sweep of refunds does some minutes later, and what Stripe then tells."""
        resume_refunds(now=timezone.now() + timedelta(minutes=5))
        self.settle()

    def _act(self, step: Step) -> None:
        try:
            _ACTIONS[step.do](self, step)
        except StripeError as error:  # what the step was to happen to does not go that way (any more)
            self.counts["impossible"] += 1
            del error

    # What students, banks and people at Stripe do

    def pay(self, step: Step) -> None:
        if page := self._pick(step, is_open):
            self.sandbox.stripe.pay(page["id"])

    def decline(self, step: Step) -> None:
        if page := self._pick(step, is_open):
            self.sandbox.stripe.pay(page["id"], DECLINED)

    def debit(self, step: Step) -> None:
        if page := self._pick(step, is_open):
            self.sandbox.stripe.pay_by_bank_debit(page["id"])

    def bank_answers(self, step: Step) -> None:
        if page := self._pick(step, lambda session: waits_for_bank(self.sandbox, session)):
            self.sandbox.stripe.settle(page["id"], "succeeded" if step.do is Do.DEBIT_COMES else "failed")

    def close_page(self, step: Step) -> None:
        if page := self._pick(step, is_open):
            self.sandbox.stripe.expire(page["id"])

    def dashboard_refund(self, step: Step) -> None:
        if (page := self._pick(step, is_paid)) and page["payment_intent"]:
            amount = None if step.do is Do.DASHBOARD_REFUND else _part(page["amount_total"], step)
            status = "pending" if step.do is Do.SLOW_REFUND else None
            self.sandbox.stripe.refund(page["payment_intent"], amount, status=status)

    def refund_moves(self, step: Step) -> None:
        wanted = ("pending", "succeeded") if step.do is Do.REFUND_FAILS else ("pending",)
        refunds = [refund for refund in self.sandbox.stripe.refunds() if refund["status"] in wanted]
        if refunds:
            outcome = "failed" if step.do is Do.REFUND_FAILS else "succeeded"
            self.sandbox.stripe.settle_refund(refunds[step.pick % len(refunds)]["id"], outcome)

    def dispute(self, step: Step) -> None:
        status = {Do.INQUIRY: "warning_needs_response", Do.DISPUTE: "needs_response", Do.DISPUTE_LOST: "lost"}[step.do]
        if (page := self._pick(step, is_paid)) and page["payment_intent"]:
            amount = None if step.pick < 3 else _part(page["amount_total"], step)
            self.sandbox.stripe.open_dispute(page["payment_intent"], status, amount=amount)

    def dispute_moves(self, step: Step) -> None:
        disputes = [each for each in self.sandbox.stripe.disputes() if each["status"] in NEXT_OF_DISPUTE]
        if disputes:
            dispute = disputes[step.course % len(disputes)]
            ways = NEXT_OF_DISPUTE[dispute["status"]]
            self.sandbox.stripe.move_dispute(dispute["id"], ways[step.pick % len(ways)])

    # What happens on our side

    def checkout(self, step: Step) -> None:
        self._lose_answer(step, r"/v1/checkout/sessions$")
        self._ours(step, lambda: self._buy(step))

    def buy(self, step: Step) -> None:
        self.checkout(step)
        self.crew.wait()
        self.pay(replace(step, pick=0))

    def checkout_cart(self, step: Step) -> None:
        self._lose_answer(step, r"/v1/checkout/sessions$")
        self._ours(step, lambda: self._buy_all(step))

    def land(self, step: Step) -> None:
        def look() -> None:
            if orders := list(Order.objects.order_by("pk")):
                sync_order(orders[step.pick % len(orders)])

        self._ours(step, look)

    def refund(self, step: Step) -> None:
        self._lose_answer(step, r"/v1/refunds$")
        self._ours(step, lambda: self._give_back(step))

    def time_passes(self, step: Step) -> None:
        self.crew.wait()
        for session in filter(is_open, self.sandbox.stripe.sessions()):
            self.sandbox.stripe.expire(session["id"])
        self._ours(step, lambda: expire_orders(now=timezone.now() + timedelta(hours=2)))
        self.crew.wait()

    def change_course(self, step: Step) -> None:
        course = Course.objects.filter(pk=self.courses[step.course].pk)
        if step.do is Do.UNPUBLISH:
            course.update(is_published=False)
        else:
            course.update(price_minor=0 if step.do is Do.FREE else 3900 + 500 * step.pick)

    def new_email(self, step: Step) -> None:
        user = self.students[step.student]
        email = f"new{len(self.addresses[user.pk])}.{user.email}"
        self.addresses[user.pk].add(email)
        User.objects.filter(pk=user.pk).update(email=email)

    def close_account(self, step: Step) -> None:
        user = User.objects.get(pk=self.students[step.student].pk)
        paid = {session["id"] for session in filter(is_paid, self.sandbox.stripe.sessions())}
        self.paid_before_closing.setdefault(user.pk, paid)
        close_account(user)

    def staff_grant(self, step: Step) -> None:
        user, course = self.students[step.student], self.courses[step.course]
        self._ours(step, lambda: enroll(user=user, course=course, source=EnrollmentSource.STAFF))

    def _buy(self, step: Step) -> None:
        user = User.objects.get(pk=self.students[step.student].pk)
        if user.is_active:
            start_checkout(user=user, course=Course.objects.get(pk=self.courses[step.course].pk))

    def _buy_all(self, step: Step) -> None:
        with transaction.atomic():
            user = User.objects.select_for_update().get(pk=self.students[step.student].pk)
            courses = list(Course.objects.filter(pk__in=[course.pk for course in self.courses], price_minor__gt=0))
            busy = Enrollment.objects.active().filter(user=user).exists() or Order.objects.open().filter(user=user)
            if not user.is_active or busy or not courses:
                return
            total_minor = sum(course.price_minor for course in courses)
            order = Order.objects.create(user=user, currency=courses[0].currency, total_minor=total_minor)
            for course in courses:
                price_minor = course.price_minor
                OrderItem.objects.create(
                    order=order, course=course, title=course.title, unit_minor=price_minor, net_minor=price_minor
                )
            ends = timezone.now().replace(microsecond=0) + timedelta(hours=1)
            payment = make_payment(order, session_expires_at=ends)
        session = stripe.create_session(session_request(order, payment))
        apply_reading(Reading(session=session), revision=payment.revision)

    def _give_back(self, step: Step) -> None:
        payments = [payment for payment in Payment.objects.order_by("pk") if payment.has_money]
        if not payments:
            return
        payment = payments[step.pick % len(payments)]
        items = list(payment.order.items.order_by("pk")) if payment.order else []
        asked: dict[str, Any] = {}
        if step.do is Do.REFUND_PART:
            asked["amount_minor"] = _part(payment.paid_minor, step)
        if step.do is Do.REFUND_ITEM and items:
            asked["items"] = [items[step.course % len(items)]]
        send_refund(request_refund(payment=payment, **asked))

    def _pick(self, step: Step, fits: Callable[[Record], bool]) -> Record | None:
        fitting = [session for session in self.sandbox.stripe.sessions() if fits(session)]
        return fitting[step.pick % len(fitting)] if fitting else None

    def _lose_answer(self, step: Step, path: str) -> None:
        if step.answer_lost:
            times = 1 + step.pick % 2  # the SDK asks twice
            self.sandbox.fault(service="stripe", path=path, after=True, drop=True, times=times)
            self.counts["answers lost"] += 1

    def _ours(self, step: Step, call: Callable[[], object]) -> None:
        def work() -> None:
            try:
                with dying_at(step.crash):
                    call()
            except Crash as crash:
                self._note(crash)
            except PaymentsError:
                self.counts["refused"] += 1

        self.crew.give(work)

    # How we hear of it

    def _tell(self, step: Step, *, now: int) -> bool:
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
            with dying_at(delivery.crash, pausing_at=delivery.pause):
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


def _part(amount_minor: int, step: Step) -> int:
    return max(1, amount_minor // (2 + step.pick % 2))


_ACTIONS: dict[Do, Callable[[World, Step], None]] = {
    Do.CHECKOUT: World.checkout,
    Do.CHECKOUT_CART: World.checkout_cart,
    Do.BUY: World.buy,
    Do.PAY: World.pay,
    Do.DECLINE: World.decline,
    Do.DEBIT: World.debit,
    Do.DEBIT_COMES: World.bank_answers,
    Do.DEBIT_FAILS: World.bank_answers,
    Do.CLOSE_PAGE: World.close_page,
    Do.TIME_PASSES: World.time_passes,
    Do.LAND: World.land,
    Do.REFUND: World.refund,
    Do.REFUND_PART: World.refund,
    Do.REFUND_ITEM: World.refund,
    Do.DASHBOARD_REFUND: World.dashboard_refund,
    Do.DASHBOARD_REFUND_PART: World.dashboard_refund,
    Do.SLOW_REFUND: World.dashboard_refund,
    Do.REFUND_FAILS: World.refund_moves,
    Do.REFUND_SUCCEEDS: World.refund_moves,
    Do.INQUIRY: World.dispute,
    Do.DISPUTE: World.dispute,
    Do.DISPUTE_LOST: World.dispute,
    Do.DISPUTE_MOVES: World.dispute_moves,
    Do.NEW_PRICE: World.change_course,
    Do.FREE: World.change_course,
    Do.UNPUBLISH: World.change_course,
    Do.NEW_EMAIL: World.new_email,
    Do.CLOSE_ACCOUNT: World.close_account,
    Do.STAFF_GRANT: World.staff_grant,
}
