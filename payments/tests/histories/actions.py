"""What each step does: students, banks and people at Stripe on one side, our services on the other."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from courses.models import Course, Enrollment, EnrollmentSource
from courses.services import enroll
from payments import stripe
from payments.models import Order, OrderItem, Payment
from payments.services.checkout import start_checkout
from payments.services.expiry import expire_orders
from payments.services.refund_requests import request_refund
from payments.services.refunds import send_refund
from payments.services.session_request import session_request
from payments.services.sync import apply_reading, sync_order
from payments.stripe import Reading
from payments.tests.buying import make_payment
from payments.tests.histories.ledger import is_open, is_paid, waits_for_bank
from payments.tests.histories.steps import Do, Step
from payments.tests.histories.world import World
from sandbox.stripe.errors import StripeError
from users.models import User
from users.services import close_account

DECLINED = "4000 0000 0000 0002"
NEXT_OF_DISPUTE = {
    "warning_needs_response": ["needs_response", "warning_under_review", "warning_closed", "prevented"],
    "warning_under_review": ["needs_response", "warning_closed"],
    "needs_response": ["won", "lost", "under_review"],
    "under_review": ["won", "lost"],
    "lost": ["appeal_needs_response"],
    "appeal_needs_response": ["won", "lost", "appeal_under_review"],
    "appeal_under_review": ["won", "lost"],
}


def happen(world: World) -> None:
    """All steps of the history, and every delivery that is to arrive, those that were answered badly once more."""
    for number, step in enumerate(world.history.steps):
        world.counts["steps"] += 1
        # Stripe's times are whole seconds: no two steps of a history fall into one.
        world.sandbox.stripe.advance(1)
        try:
            ACTIONS[step.do](world, step)
        except StripeError:  # what the step was to happen to does not go that way (any more)
            world.counts["impossible"] += 1
        world.tell(step, now=number)
        if step.waits:
            world.crew.wait()
            world.tell(step, now=number)
        elif step.delivery_pause is not None:
            world.crew.wait_for_rest()
    world.settle()


# What students, banks and people at Stripe do


def _pay(world: World, step: Step) -> None:
    if page := world.pick(step, is_open):
        world.sandbox.stripe.pay(page["id"])


def _decline(world: World, step: Step) -> None:
    if page := world.pick(step, is_open):
        world.sandbox.stripe.pay(page["id"], DECLINED)


def _debit(world: World, step: Step) -> None:
    if page := world.pick(step, is_open):
        world.sandbox.stripe.pay_by_bank_debit(page["id"])


def _bank_answers(world: World, step: Step) -> None:
    if page := world.pick(step, lambda session: waits_for_bank(world.sandbox, session)):
        world.sandbox.stripe.settle(page["id"], "succeeded" if step.do is Do.DEBIT_COMES else "failed")


def _close_page(world: World, step: Step) -> None:
    if page := world.pick(step, is_open):
        world.sandbox.stripe.expire(page["id"])


def _promotion(world: World, step: Step) -> None:
    if page := world.pick(step, is_open):
        world.sandbox.stripe.apply_promotion_code(page["id"], world.codes[step.course])


def _dashboard_refund(world: World, step: Step) -> None:
    if (page := world.pick(step, is_paid)) and page["payment_intent"]:
        amount = None if step.do is Do.DASHBOARD_REFUND else _part(page["amount_total"], step)
        status = "pending" if step.do is Do.SLOW_REFUND else None
        world.sandbox.stripe.refund(page["payment_intent"], amount, status=status)


def _refund_moves(world: World, step: Step) -> None:
    wanted = ("pending", "succeeded") if step.do is Do.REFUND_FAILS else ("pending",)
    refunds = [refund for refund in world.sandbox.stripe.refunds() if refund["status"] in wanted]
    if refunds:
        outcome = "failed" if step.do is Do.REFUND_FAILS else "succeeded"
        world.sandbox.stripe.settle_refund(refunds[step.pick % len(refunds)]["id"], outcome)


def _dispute(world: World, step: Step) -> None:
    status = {Do.INQUIRY: "warning_needs_response", Do.DISPUTE: "needs_response", Do.DISPUTE_LOST: "lost"}[step.do]
    if (page := world.pick(step, is_paid)) and page["payment_intent"]:
        amount = None if step.pick < 3 else _part(page["amount_total"], step)
        world.sandbox.stripe.open_dispute(page["payment_intent"], status, amount=amount)


def _dispute_moves(world: World, step: Step) -> None:
    disputes = [each for each in world.sandbox.stripe.disputes() if each["status"] in NEXT_OF_DISPUTE]
    if disputes:
        dispute = disputes[step.course % len(disputes)]
        ways = NEXT_OF_DISPUTE[dispute["status"]]
        world.sandbox.stripe.move_dispute(dispute["id"], ways[step.pick % len(ways)])


# What happens on our side


def _checkout(world: World, step: Step) -> None:
    world.lose_answer(step, r"/v1/checkout/sessions$")
    world.ours(step, lambda: _start_checkout(world, step))


def _buy(world: World, step: Step) -> None:
    _checkout(world, step)
    world.crew.wait()
    _pay(world, replace(step, pick=0))


def _checkout_cart(world: World, step: Step) -> None:
    world.lose_answer(step, r"/v1/checkout/sessions$")
    world.ours(step, lambda: _start_cart(world, step))


def _land(world: World, step: Step) -> None:
    def look() -> None:
        if orders := list(Order.objects.order_by("pk")):
            sync_order(orders[step.pick % len(orders)])

    world.ours(step, look)


def _refund(world: World, step: Step) -> None:
    world.lose_answer(step, r"/v1/refunds$")
    world.ours(step, lambda: _give_back(world, step))


def _time_passes(world: World, step: Step) -> None:
    world.crew.wait()
    for session in filter(is_open, world.sandbox.stripe.sessions()):
        world.sandbox.stripe.expire(session["id"])
    world.ours(step, lambda: expire_orders(now=timezone.now() + timedelta(hours=2)))
    world.crew.wait()


def _change_course(world: World, step: Step) -> None:
    course = Course.objects.filter(pk=world.courses[step.course].pk)
    if step.do is Do.UNPUBLISH:
        course.update(is_published=False)
    else:
        course.update(price_minor=0 if step.do is Do.FREE else 3900 + 500 * step.pick)


def _new_email(world: World, step: Step) -> None:
    user = world.students[step.student]
    email = f"new{len(world.addresses[user.pk])}.{user.email}"
    world.addresses[user.pk].add(email)
    User.objects.filter(pk=user.pk).update(email=email)


def _close_account(world: World, step: Step) -> None:
    user = User.objects.get(pk=world.students[step.student].pk)
    paid = {session["id"] for session in filter(is_paid, world.sandbox.stripe.sessions())}
    world.paid_before_closing.setdefault(user.pk, paid)
    close_account(user)


def _staff_grant(world: World, step: Step) -> None:
    user, course = world.students[step.student], world.courses[step.course]
    world.ours(step, lambda: enroll(user=user, course=course, source=EnrollmentSource.STAFF))


def _start_checkout(world: World, step: Step) -> None:
    user = User.objects.get(pk=world.students[step.student].pk)
    if user.is_active:
        start_checkout(user=user, course=Course.objects.get(pk=world.courses[step.course].pk))


def _start_cart(world: World, step: Step) -> None:
    with transaction.atomic():
        user = User.objects.select_for_update().get(pk=world.students[step.student].pk)
        courses = list(Course.objects.filter(pk__in=[course.pk for course in world.courses], price_minor__gt=0))
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


def _give_back(world: World, step: Step) -> None:
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


def _part(amount_minor: int, step: Step) -> int:
    return max(1, amount_minor // (2 + step.pick % 2))


ACTIONS: dict[Do, Callable[[World, Step], None]] = {
    Do.CHECKOUT: _checkout,
    Do.CHECKOUT_CART: _checkout_cart,
    Do.BUY: _buy,
    Do.PAY: _pay,
    Do.DECLINE: _decline,
    Do.DEBIT: _debit,
    Do.DEBIT_COMES: _bank_answers,
    Do.DEBIT_FAILS: _bank_answers,
    Do.CLOSE_PAGE: _close_page,
    Do.TIME_PASSES: _time_passes,
    Do.LAND: _land,
    Do.REFUND: _refund,
    Do.REFUND_PART: _refund,
    Do.REFUND_ITEM: _refund,
    Do.DASHBOARD_REFUND: _dashboard_refund,
    Do.DASHBOARD_REFUND_PART: _dashboard_refund,
    Do.SLOW_REFUND: _dashboard_refund,
    Do.REFUND_FAILS: _refund_moves,
    Do.REFUND_SUCCEEDS: _refund_moves,
    Do.INQUIRY: _dispute,
    Do.DISPUTE: _dispute,
    Do.DISPUTE_LOST: _dispute,
    Do.DISPUTE_MOVES: _dispute_moves,
    Do.PROMOTION: _promotion,
    Do.NEW_PRICE: _change_course,
    Do.FREE: _change_course,
    Do.UNPUBLISH: _change_course,
    Do.NEW_EMAIL: _new_email,
    Do.CLOSE_ACCOUNT: _close_account,
    Do.STAFF_GRANT: _staff_grant,
}
