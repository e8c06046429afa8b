"""Orders of the demo student, each in another state: really paid, refunded and disputed at the stand-in for Stripe."""

import json
from http.client import HTTPConnection
from urllib.parse import SplitResult, urlsplit

from django.conf import settings

from courses.models import Course
from eleven_tutors.demo.stand_in_videos import StandInRefused
from eleven_tutors.routes import is_loopback
from payments import configuration
from payments.models import Order, Payment
from payments.services.checkout import start_checkout
from payments.services.refund_requests import request_refund
from payments.services.refunds import send_refund
from payments.services.sync import sync_checkout
from users.models import User

_BOUGHT_BY_VISITORS = "introduction-to-proofs"
_TIMEOUT_S = 10


def make_orders(student: User) -> None:
    """A paid, a partly refunded, a refunded and a disputed order; none without a stand-in, or when there are some."""
    stand_in = find_stripe_stand_in()
    if stand_in is None or student.orders.exists():
        return
    bought = Course.objects.published().filter(price_minor__gt=0).exclude(slug=_BOUGHT_BY_VISITORS)
    courses = list(bought.exclude(enrollments__user=student).order_by("pk")[:4])
    if len(courses) < 4:
        return
    _, partly, refunded, disputed = [_buy(stand_in, student, course) for course in courses]
    _give_back(partly, amount_minor=partly.paid_minor // 4)
    _give_back(refunded)
    _tell(stand_in, "disputes", {"payment_intent": disputed.stripe_payment_intent, "status": "needs_response"})
    sync_checkout(str(disputed.session_id))


def find_stripe_stand_in() -> SplitResult | None:
    """The stand-in's address, when the configured Stripe is one: on this machine, and ending like the sandbox's."""
    address = urlsplit(settings.STRIPE_API_BASE)
    is_ours = address.scheme == "http" and address.path == "/stripe" and is_loopback(address.hostname or "")
    return address if configuration.is_enabled() and is_ours else None


def _buy(stand_in: SplitResult, student: User, course: Course) -> Payment:
    checkout = start_checkout(user=student, course=course)
    _tell(stand_in, f"sessions/{checkout.session_id}/pay", {})
    sync_checkout(str(checkout.session_id))
    return Order.objects.get(pk=checkout.order.pk).payments.get()


def _give_back(payment: Payment, amount_minor: int | None = None) -> None:
    send_refund(request_refund(payment=payment, amount_minor=amount_minor))


def _tell(stand_in: SplitResult, path: str, body: dict[str, str | None]) -> None:
    connection = HTTPConnection(str(stand_in.hostname), stand_in.port or 80, timeout=_TIMEOUT_S)
    try:
        headers = {"Content-Type": "application/json"}
        connection.request("POST", f"{stand_in.path}/_control/{path}", json.dumps(body), headers)
        answer = connection.getresponse()
        text = answer.read()
        if answer.status >= 300:
            raise StandInRefused(f"The stand-in for Stripe answered {answer.status}: {text[:200]!r}")
    finally:
        connection.close()
