"""What tests of payments do again and again: buy a course, and hand over a delivery as Stripe signs it."""

import json
import time
from datetime import timedelta

from django.test import Client
from django.utils import timezone
from stripe import WebhookSignature

from courses.tests.factories import make_course
from payments import stripe
from payments.models import SETTLED, FailureCode, Order, OrderItem, OrderStatus, Payment, PaymentStatus, Refund
from payments.services.checkout import start_checkout
from payments.services.refunds import send_refund
from payments.services.session_request import session_request
from payments.services.sync import sync_checkout
from users.tests.factories import auth_client, make_user

SECRET = "whsec_sandbox_test"
WEBHOOK = "/api/payments/stripe/webhook/"


def make_order(*, user=None, course=None, **overrides) -> Order:
    """An order of one course with one pending attempt that has no session yet."""
    course = course or make_course()
    values = {"currency": course.currency, "total_minor": course.price_minor} | overrides
    order = Order.objects.create(user=user or make_user(), **values)
    OrderItem.objects.create(
        order=order, course=course, title=course.title, unit_minor=course.price_minor, net_minor=course.price_minor
    )
    return order


def make_payment(order: Order, **overrides) -> Payment:
    attempt = overrides.pop("attempt", order.payments.count() + 1)
    values = {
        "attempt": attempt,
        "amount_minor": order.total_minor,
        "currency": order.currency,
        "idempotency_key": f"checkout:{order.public_id}:{attempt}",
        "paid_at": timezone.now() if overrides.get("status") in SETTLED else None,
    }
    return Payment.objects.create(order=order, **values | overrides)


def open_order(*courses, user=None) -> Payment:
    """One order of all these courses, with its session open at the sandbox; gives the payment."""
    total_minor = sum(course.price_minor for course in courses)
    order = Order.objects.create(user=user or make_user(), currency=courses[0].currency, total_minor=total_minor)
    for course in courses:
        price = {"unit_minor": course.price_minor, "net_minor": course.price_minor}
        OrderItem.objects.create(order=order, course=course, title=course.title, **price)
    payment = make_payment(order, session_expires_at=timezone.now().replace(microsecond=0) + timedelta(hours=1))
    session = stripe.create_session(session_request(order, payment))
    payment.session_id, payment.session_url = session.id, session.url
    payment.save()
    return payment


def bought(sandbox, *courses, user=None) -> Payment:
    """The payment of an order of these courses, or of a new one, after it was paid and fulfilled."""
    payment = open_order(*(courses or [make_course()]), user=user)
    sandbox.stripe.pay(payment.session_id)
    sync_checkout(payment.session_id)
    payment.refresh_from_db()
    return payment


def pay(sandbox, *session_ids: str) -> None:
    """Pay these pages, and ask about each at once."""
    for session_id in session_ids:
        sandbox.stripe.pay(session_id)
        sync_checkout(session_id)


def send_what_was_reserved() -> None:
    """As the worker does after the commit."""
    for refund in Refund.objects.unsent():
        send_refund(refund)


def attempts(number: int) -> list[str]:
    """The sessions of so many attempts at one order that can all be paid."""
    user, course = make_user(), make_course()
    sessions = []
    for _ in range(number):
        Payment.objects.update(status=PaymentStatus.FAILED, failure_code=FailureCode.SUPERSEDED)
        Order.objects.update(status=OrderStatus.EXPIRED)
        sessions.append(str(start_checkout(user=user, course=course).session_id))
    return sessions


def open_checkout(*, user=None, course=None):
    """A checkout of a paid course with its session open at the sandbox."""
    return start_checkout(user=user or make_user(), course=course or make_course())


def signed(body: bytes, *, secret: str = SECRET, at: int | None = None) -> str:
    return WebhookSignature.generate_signature_header(body.decode(), secret, at or int(time.time()))


def post(body: bytes, signature: str | None = None, **extra):
    headers = {} if signature is None else {"Stripe-Signature": signature}
    return Client(raise_request_exception=False).post(
        WEBHOOK, data=body, content_type="application/json", headers=headers, **extra
    )


def deliver(event: dict, *, secret: str = SECRET):
    """Post an event to the webhook, freshly signed."""
    body = json.dumps(event).encode()
    return post(body, signed(body, secret=secret))


def completed_event(sandbox, session_id: str) -> dict:
    return event_about(sandbox, session_id, "checkout.session.completed")


def event_about(sandbox, session_id: str, kind: str) -> dict:
    return next(event for event in sandbox.stripe.events(kind) if event["data"]["object"]["id"] == session_id)


def deliver_all(sandbox, *kinds: str) -> list[int]:
    """Deliver every event of these types, type after type in the order given; gives the answers' statuses."""
    return [deliver(event).status_code for kind in kinds for event in sandbox.stripe.events(kind)]


def browser_of(user):
    """A signed-in client that shows a 5xx as a browser sees it."""
    client = auth_client(user)
    client.raise_request_exception = False
    return client
