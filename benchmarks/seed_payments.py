"""Makes as many checkouts as the argument says, pays them at the stand-in, and prints the paid sessions as JSON."""

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import django

from benchmarks.deliveries import Stand

THREADS = 4


def main() -> None:
    django.setup()
    json.dump(paid_checkouts(int(sys.argv[1])), sys.stdout)


def paid_checkouts(number: int) -> list[dict[str, Any]]:
    """Paid sessions of as many orders, each of another student and course, that nobody was told of yet."""
    from django.conf import settings  # noqa: PLC0415 (settings first)
    from django.db import connection  # noqa: PLC0415

    from payments.models import Payment  # noqa: PLC0415

    stand = Stand(settings.STRIPE_API_BASE)

    def pay(payment: Payment) -> dict[str, Any]:
        try:
            return stand.pay(_open(payment))
        finally:
            connection.close()

    with ThreadPoolExecutor(THREADS) as threads:
        return list(threads.map(pay, _make_payments(number)))


def _make_payments(number: int) -> list[Any]:
    from django.contrib.auth import get_user_model  # noqa: PLC0415
    from django.utils import timezone  # noqa: PLC0415

    from courses.models import Course  # noqa: PLC0415
    from payments.models import Order, OrderItem, Payment  # noqa: PLC0415

    model = get_user_model()
    people = model.objects.bulk_create(model(username=f"p{n}", email=f"p{n}@bench.test") for n in range(number))
    courses = list(Course.objects.all())
    orders = Order.objects.bulk_create(Order(user=user, currency="usd", total_minor=4900) for user in people)
    OrderItem.objects.bulk_create(
        OrderItem(order=order, course=courses[n % len(courses)], title="Course", unit_minor=4900, net_minor=4900)
        for n, order in enumerate(orders)
    )
    ends_at = timezone.now().replace(microsecond=0) + timedelta(hours=1)
    return Payment.objects.bulk_create(
        Payment(
            order=order,
            amount_minor=4900,
            currency="usd",
            idempotency_key=f"checkout:{order.public_id}:1",
            session_expires_at=ends_at,
        )
        for order in orders
    )


def _open(payment: Any) -> str:
    from payments import stripe  # noqa: PLC0415
    from payments.services.session_request import session_request  # noqa: PLC0415

    session_id = stripe.create_session(session_request(payment.order, payment)).id
    type(payment).objects.filter(pk=payment.pk).update(session_id=session_id)
    return session_id


if __name__ == "__main__":
    main()
