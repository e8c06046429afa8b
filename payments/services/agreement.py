"""Whether our own rows agree with each other: what was paid, what was given for it, what waits for too long."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from courses.models import Enrollment, EnrollmentSource
from courses.services import enroll
from payments.models import (
    GIVEN_BACK,
    GRANTS_ACCESS,
    MONEY_CAME,
    Access,
    DisputeStatus,
    Order,
    OrderItem,
    Payment,
    Refund,
)
from payments.services.attention import payments_for_nobody
from payments.services.fulfilment import fulfil
from payments.services.recompute import PaymentFacts, derive_status, flag, recompute
from payments.services.repairs import PAGE, Also, Run, pages
from payments.services.rights import ENDED_BY

RIGHTS = "paid orders"
ENROLLMENTS = "enrollments by orders"
WAITING = "payments that wait"

PENDING_AT_MOST = timedelta(hours=25)
# A bank debit takes up to 14 business days: https://docs.stripe.com/payments/payment-methods
PROCESSING_AT_MOST = timedelta(days=21)

Right = tuple[int, int]


def check_rows(run: Run) -> None:
    """Repair what can be repaired without Stripe, and report the rest; everything is read along an index.

    Orders by the time they were paid (`order_by_payment_time`) or given back (`refund_by_time`), enrollments from the
    newest id down, payments by `payment_pending`, orders that wait for a person by `order_for_a_person`.
    """
    run.do(RIGHTS, _check_orders)
    run.do(ENROLLMENTS, _check_enrollments)
    run.do(WAITING, _check_waiting)
    run.orders_waiting = Order.objects.exclude(needs_attention="").count()
    run.paid_for_nobody = payments_for_nobody().count()


def flag_order(order_id: int, reason: str) -> None:
    """Put an order before a person, once for each reason."""
    with transaction.atomic():
        order = Order.objects.select_for_update(of=("self",)).get(pk=order_id)
        flag(order, reason)
        order.save(update_fields=["needs_attention"])


def repair_order(order: Order) -> list[str]:
    """Bring the rights that a paid order gives in line with its rows; gives in words what was mended or stays wrong.

    What staff ended stays ended, and a closed account gets nothing.
    """
    if order.status not in MONEY_CAME or not order.user.is_active:
        return []
    run = Run(now=timezone.now(), window=timedelta())
    _bring_order_in_line(run, order, lambda payment: None)
    problems = [f"{subject} {text}" for subject, text in run.problems.items()]
    return [line.removeprefix(f"order {order.public_id}: ") for line in [*run.changes, *problems]]


def _check_orders(run: Run) -> None:
    for orders in _orders_in_window(run):
        run.progress(RIGHTS)
        items = list(OrderItem.objects.filter(order__in=orders).order_by("pk"))
        by_id = {order.pk: order for order in orders}
        owned = _owned([(by_id[item.order_id].user_id, item.course_id) for item in items])
        suspects = {item.order_id for item in items if _looks_wrong(by_id[item.order_id], item, owned)}
        suspects |= {order.pk for order in orders if _derived_status(order) != order.status}
        for pk in sorted(suspects):
            order = by_id[pk]
            run.attempt(RIGHTS, f"order {order.public_id}", partial(_bring_order_in_line, run, order))
        for payment in (payment for order in orders for payment in order.payments.all()):
            if not _adds_up(payment) and not _adds_up(Payment.objects.get(pk=payment.pk)):
                run.problem(f"payment {payment.public_id}", "its refunds and disputes do not add up to refunded_minor")


def _orders_in_window(run: Run) -> Iterator[Sequence[Order]]:
    """Those paid and those given back since then, of people who are still here; their payments are fetched along."""
    orders = Order.objects.filter(user__is_active=True).prefetch_related("payments__refunds", "payments__disputes")
    yield from pages(orders.filter(paid_at__gte=run.since), "paid_at")
    for refunds in pages(Refund.objects.filter(created_at__gte=run.since).select_related("payment"), "created_at"):
        ids = {refund.payment.order_id for refund in refunds if refund.payment.order_id}
        yield list(orders.filter(pk__in=ids, paid_at__lt=run.since))


@dataclass(frozen=True)
class _Owner:
    source: str
    reference: str


def _owned(rights: Sequence[Right]) -> dict[Right, _Owner]:
    """Who gives each of these rights of a student to a course, where it stands."""
    users, courses = {user for user, _ in rights}, {course for _, course in rights}
    rows = Enrollment.objects.active().filter(user__in=users, course__in=courses)
    found = rows.values_list("user_id", "course_id", "source", "source_reference")
    return {(user, course): _Owner(source, reference) for user, course, source, reference in found.iterator()}


def _looks_wrong(order: Order, item: OrderItem, owned: dict[Right, _Owner]) -> bool:
    owner = owned.get((order.user_id, item.course_id))
    if item.access == Access.GRANTED:
        return owner is None
    is_ours = owner is not None and owner.reference == str(order.public_id)
    return is_ours or (item.access == Access.NONE and order.status in GRANTS_ACCESS)


def _derived_status(order: Order) -> str:
    return derive_status(order.total_minor, [PaymentFacts.of(payment) for payment in order.payments.all()])


def _adds_up(payment: Payment) -> bool:
    if not payment.has_money:
        return True
    refunds, disputes = list(payment.refunds.all()), list(payment.disputes.all())
    back = sum(refund.amount_minor for refund in refunds if refund.stripe_id and refund.status in GIVEN_BACK)
    back += sum(dispute.amount_minor for dispute in disputes if dispute.status == DisputeStatus.LOST)
    return payment.refunded_minor == min(payment.paid_minor, back)


def _bring_order_in_line(run: Run, order: Order, also: Also) -> None:
    """Derive the order again, give what it grants and nobody ended on purpose, and report what stays."""
    subject = f"order {order.public_id}"
    with transaction.atomic():
        order = Order.objects.select_for_update(of=("self",)).get(pk=order.pk)
        was, before = order.status, _accesses(order)
        fulfil(order, recompute(order))
        if order.status != was or _accesses(order) != before:
            run.changed(RIGHTS, f"{subject}: {was} → {order.status}")
        for item in order.items.select_related("course").order_by("course_id"):
            _bring_right_in_line(run, subject, order, item)
        run.roll_back()


def _accesses(order: Order) -> list[str]:
    return list(order.items.order_by("pk").values_list("access", flat=True))


def _bring_right_in_line(run: Run, subject: str, order: Order, item: OrderItem) -> None:
    rows = Enrollment.objects.filter(user=order.user_id, course=item.course_id).order_by("-is_active", "-pk")
    newest = rows.first()
    if item.access == Access.GRANTED:
        if newest is None or (not newest.is_active and not _was_ended_on_purpose(newest, order)):
            enroll(
                user=order.user,
                course=item.course,
                source=EnrollmentSource.ORDER if order.total_minor else EnrollmentSource.FREE,
                source_reference=str(order.public_id),
            )
            run.changed(RIGHTS, f"{subject}: the enrollment in course {item.course_id} is given again")
    elif newest and newest.is_active and newest.source_reference == str(order.public_id):
        run.problem(f"enrollment {newest.pk}", f"is active by {subject}, which gives it no more ({item.access})")


def _was_ended_on_purpose(enrollment: Enrollment, order: Order) -> bool:
    """By staff, since the order was paid; what a refund or dispute ended follows from the order instead."""
    if enrollment.ended_reason in ENDED_BY.values() or enrollment.ended_at is None or order.paid_at is None:
        return False
    return enrollment.ended_at >= order.paid_at


def _check_enrollments(run: Run) -> None:
    """Rights that say an order gave them: it must exist, be the student's, hold the course and grant it."""
    for rows in _newest_enrollments(run):
        run.progress(ENROLLMENTS)
        claims = [row for row in rows if row.is_active and row.source == EnrollmentSource.ORDER]
        granted = _granted_by([row.source_reference for row in claims])
        for row in claims:
            if _claim(row) not in granted and _is_unfounded(row):
                run.count(ENROLLMENTS).looked_at += 1
                run.problem(f"enrollment {row.pk}", f"says order {row.source_reference} gave it, which does not")


def _newest_enrollments(run: Run) -> Iterator[Sequence[Enrollment]]:
    rows = Enrollment.objects.order_by("-pk")
    page = list(rows[:PAGE])
    while page:
        yield [row for row in page if row.started_at >= run.since]
        last = page[-1]
        page = list(rows.filter(pk__lt=last.pk)[:PAGE]) if last.started_at >= run.since else []


Claim = tuple[str, int, int]


def _claim(enrollment: Enrollment) -> Claim:
    return enrollment.source_reference, enrollment.user_id, enrollment.course_id


def _granted_by(references: Sequence[str]) -> set[Claim]:
    items = OrderItem.objects.filter(order__public_id__in=[r for r in references if _is_id(r)], access=Access.GRANTED)
    found = items.values_list("order__public_id", "order__user_id", "course_id")
    return {(str(public_id), user, course) for public_id, user, course in found}


def _is_unfounded(enrollment: Enrollment) -> bool:
    """Asked once more about this one: the order may have changed since its page was read."""
    if _claim(enrollment) in _granted_by([enrollment.source_reference]):
        return False
    return Enrollment.objects.active().filter(pk=enrollment.pk, source_reference=enrollment.source_reference).exists()


def _is_id(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False


def _check_waiting(run: Run) -> None:
    late = Payment.objects.live().filter(created_at__lte=run.now - PENDING_AT_MOST)
    for page in pages(late, "created_at"):
        for payment in page:
            waited = run.now - payment.created_at
            if not payment.is_processing or waited > PROCESSING_AT_MOST:
                word = "waits for a bank" if payment.is_processing else "is pending"
                run.count(WAITING).looked_at += 1
                run.problem(f"payment {payment.public_id}", f"{word} since {payment.created_at:%Y-%m-%d %H:%M} UTC")
