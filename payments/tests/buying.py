"""What tests of payments do again and again: buy a course, and hand over a delivery as Stripe signs it."""

import json
import time

from django.test import Client
from django.utils import timezone
from stripe import WebhookSignature

from courses.tests.factories import make_course
from payments.models import SETTLED, Order, OrderItem, Payment
from payments.services.checkout import start_checkout
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


def browser_of(user):
    """A signed-in client that shows a 5xx as a browser sees it."""
    client = auth_client(user)
    client.raise_request_exception = False
    return client
