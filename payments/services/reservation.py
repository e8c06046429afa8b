"""Which order and which attempt a click on "buy" belongs to, decided under a lock on the student's row."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import Max, Q
from django.utils import timezone

from courses.models import Course, Enrollment
from payments.errors import AlreadyEnrolled, PaymentProcessing, PaymentUnderReview, TooManyOpenCheckouts
from payments.models import OPEN, Access, Order, OrderItem, OrderStatus, Payment
from payments.services.fulfilment import fulfil
from payments.services.recompute import recompute

if TYPE_CHECKING:
    from users.models import User

SAME_PURCHASE = timedelta(hours=24)
_RETRYABLE = (OrderStatus.EXPIRED, OrderStatus.FAILED)


@dataclass(frozen=True, kw_only=True)
class Reservation:
    """An order and the attempt to pay it, None when nothing has to be paid.

    `is_new` tells that Stripe has not been asked for this attempt; `is_outdated` that the price has changed since.
    """

    order: Order
    payment: Payment | None = None
    is_new: bool = False
    is_outdated: bool = False


@transaction.atomic
def reserve(*, user: "User", course: Course) -> Reservation:
    """Find the open order of `user` for `course`, or make one; a free course is fulfilled here.

    Raises AlreadyEnrolled, PaymentProcessing, PaymentUnderReview, TooManyOpenCheckouts.
    """
    get_user_model().objects.select_for_update(of=("self",), no_key=True).get(pk=user.pk)
    course = Course.objects.get(pk=course.pk)
    order = _unpaid_order(user, course)
    # Only now: waiting for the order's lock may have been waiting for its fulfilment.
    if Enrollment.objects.active().filter(user=user, course=course).exists():
        raise AlreadyEnrolled
    if order and order.status == OrderStatus.PROCESSING:
        raise PaymentProcessing
    _refuse_while_under_review(user, course)
    is_same = bool(order and (order.total_minor, order.currency) == (course.price_minor, course.currency))
    live = order.payments.live().first() if order else None
    if order and live:
        return Reservation(order=order, payment=live, is_outdated=not is_same)
    if course.is_free:
        return _give(_create_order(user, course))
    _refuse_too_many(user)
    if not order or not is_same:
        order = _create_order(user, course)
    payment = _next_attempt(order)
    recompute(order)
    return Reservation(order=order, payment=payment, is_new=True)


def _unpaid_order(user: "User", course: Course) -> Order | None:
    """The order that a new click goes on with: still open, or tried within a day; none that a person has to look at."""
    since = timezone.now() - SAME_PURCHASE
    goes_on = Q(status__in=OPEN) | Q(status__in=_RETRYABLE, created_at__gte=since)
    mine = Order.objects.filter(goes_on, user=user, items__course=course, needs_attention="")
    return mine.select_for_update(of=("self",)).first()


def _refuse_while_under_review(user: "User", course: Course) -> None:
    """Raises PaymentUnderReview while money for this course gave nothing and waits for a person, or is disputed."""
    unclear = Payment.objects.under_review().filter(order__user=user, order__items__course=course)
    suspended = OrderItem.objects.filter(order__user=user, course=course, access=Access.SUSPENDED)
    if unclear.exists() or suspended.exists():
        raise PaymentUnderReview


def _refuse_too_many(user: "User") -> None:
    if Order.objects.open().filter(user=user).count() >= settings.PAYMENTS_MAX_OPEN_CHECKOUTS:
        raise TooManyOpenCheckouts


def _create_order(user: "User", course: Course) -> Order:
    order = Order.objects.create(user=user, currency=course.currency, total_minor=course.price_minor)
    OrderItem.objects.create(
        order=order,
        course=course,
        title=course.title,
        unit_minor=course.price_minor,
        net_minor=course.price_minor,
    )
    return order


def _next_attempt(order: Order) -> Payment:
    newest: int | None = order.payments.aggregate(newest=Max("attempt"))["newest"]
    attempt = (newest or 0) + 1
    return Payment.objects.create(
        order=order,
        attempt=attempt,
        amount_minor=order.total_minor,
        currency=order.currency,
        idempotency_key=f"checkout:{order.public_id}:{attempt}",
        session_expires_at=_end_of_checkout(),
    )


def _end_of_checkout() -> datetime:
    return timezone.now().replace(microsecond=0) + timedelta(minutes=settings.PAYMENTS_CHECKOUT_MINUTES)


def _give(order: Order) -> Reservation:
    fulfil(order, recompute(order))
    return Reservation(order=order)
