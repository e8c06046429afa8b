"""From the click to the mail: the sandbox takes the money and calls the running server's webhook."""

import pytest
import requests
from rest_framework_simplejwt.tokens import RefreshToken

from courses.models import Enrollment
from courses.tests.factories import make_course
from payments.models import Order, OrderStatus, WebhookEvent
from payments.tests.buying import SECRET, WEBHOOK
from sandbox.stripe.errors import StripeError
from users.tests.factories import make_user

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def site(live_server, sandbox, settings):
    settings.FRONTEND_URL = live_server.url
    sandbox.context.webhooks.stripe_url = live_server.url + WEBHOOK
    sandbox.context.webhooks.stripe_secret = SECRET
    return live_server.url


class Student:
    def __init__(self, site: str) -> None:
        self.user, self.site = make_user(first_name="Ada", last_name="Lovelace"), site
        self.headers = {"Authorization": f"Bearer {RefreshToken.for_user(self.user).access_token}"}

    def buy(self, course) -> dict:
        answer = self._ask("POST", "payments/", {"course_id": course.pk})
        assert answer.status_code == 201, answer.text
        return answer.json()

    def order(self, order_id: str) -> dict:
        return self._ask("GET", f"orders/{order_id}/").json()

    def land(self, order_id: str) -> dict:
        return self._ask("POST", f"orders/{order_id}/sync/").json()

    def _ask(self, method: str, path: str, body: dict | None = None) -> requests.Response:
        url = f"{self.site}/api/payments/{path}"
        return requests.request(method, url, json=body, headers=self.headers, timeout=20)


@pytest.fixture
def student(site) -> Student:
    return Student(site)


def test_a_student_pays_is_enrolled_before_the_redirect_and_gets_one_mail(student, sandbox):
    course = make_course(title="Introduction to Proofs", price_minor=4900)
    bought = student.buy(course)
    page = requests.get(bought["url"], timeout=10)
    assert "Introduction to Proofs" in page.text
    with pytest.raises(StripeError):
        sandbox.stripe.pay(bought["checkout_session_id"], "4000 0000 0000 0002")
    answer = requests.post(
        bought["url"],
        data={"card_number": "4242 4242 4242 4242", "email": student.user.email},
        allow_redirects=False,
        timeout=20,
    )
    assert answer.status_code == 303
    assert answer.headers["Location"] == (
        f"{student.site}/dashboard/payment-success?course-slug={course.slug}"
        f"&session_id={bought['checkout_session_id']}&order_id={bought['order_id']}"
    )
    assert student.order(bought["order_id"])["status"] == "paid"
    assert Enrollment.objects.filter(user=student.user, course=course, is_active=True).count() == 1
    (mail,) = sandbox.messages()
    assert mail["to"] == [student.user.email] or mail["to"] == student.user.email
    for part in (mail["text"], mail["html"]):
        assert "Introduction to Proofs" in part
        assert "$49.00" in part
        assert f"{student.site}/courses/{course.slug}" in part
        assert "Ada Lovelace" in part


def test_a_webhook_that_never_comes_is_made_up_for_by_the_landing_page(student, sandbox):
    sandbox.fault(service="stripe", webhook={"drop": True}, times=5)
    bought = student.buy(make_course())
    sandbox.stripe.pay(bought["checkout_session_id"])
    assert student.land(bought["order_id"])["status"] == "paid"
    assert not WebhookEvent.objects.exists()


def test_deliveries_doubled_under_second_ids_and_badly_signed_grant_once(student, sandbox):
    sandbox.fault(service="stripe", webhook={"duplicate": 3, "second_id": True})
    bought = student.buy(make_course())
    sandbox.stripe.pay(bought["checkout_session_id"], wait_s=10)
    assert sandbox.context.deliveries.drain(20)
    assert student.order(bought["order_id"])["status"] == "paid"
    assert Enrollment.objects.count() == 1
    assert len(sandbox.messages()) == 1


def test_a_delivery_of_a_stranger_is_refused_and_the_landing_page_still_works(student, sandbox):
    sandbox.context.webhooks.stripe_secret = "whsec_stranger"
    bought = student.buy(make_course())
    sandbox.stripe.pay(bought["checkout_session_id"], wait_s=10)
    outcomes = [entry["outcome"] for entry in sandbox.context.deliveries.log()]
    assert outcomes[:1] == [400]
    assert student.order(bought["order_id"])["status"] == "pending"
    assert student.land(bought["order_id"])["status"] == "paid"


def test_a_first_delivery_that_fails_is_made_good_by_the_second(student, sandbox):
    bought = student.buy(make_course())
    sandbox.fault(service="stripe", path=r"/v1/checkout/sessions/cs_", status=500, times=2)
    sandbox.stripe.pay(bought["checkout_session_id"], wait_s=10)
    assert sandbox.context.deliveries.drain(20)
    assert [entry["outcome"] for entry in sandbox.context.deliveries.log()] == [503, 200]
    assert student.order(bought["order_id"])["status"] == "paid"


def test_a_bank_debit_is_processing_and_then_paid_or_failed(student, sandbox):
    paid, failed = student.buy(make_course()), student.buy(make_course(title="Topology"))
    for bought in (paid, failed):
        sandbox.stripe.pay_by_bank_debit(bought["checkout_session_id"], wait_s=10)
        assert student.order(bought["order_id"])["status"] == "processing"
    sandbox.stripe.settle(paid["checkout_session_id"], "succeeded")
    sandbox.stripe.settle(failed["checkout_session_id"], "failed")
    assert sandbox.context.deliveries.drain(20)
    assert student.order(paid["order_id"])["status"] == "paid"
    assert student.order(failed["order_id"])["status"] == "failed"
    subjects = sorted(mail["subject"] for mail in sandbox.messages())
    assert subjects == ["Your order at 11Tutors", "Your payment did not go through"]
    assert "Topology" in next(m["text"] for m in sandbox.messages() if "go through" in m["subject"])


def test_a_page_left_alone_expires_and_the_order_with_it(student, sandbox):
    bought = student.buy(make_course())
    sandbox.stripe.advance(3700)
    assert sandbox.context.deliveries.drain(20)
    assert student.order(bought["order_id"])["status"] == "expired"


def test_a_free_course_sends_its_mail_without_a_payment(student, sandbox):
    bought = student.buy(make_course(price_minor=0))
    assert bought["url"] is None
    assert Order.objects.get().status == OrderStatus.PAID
    (mail,) = sandbox.messages()
    assert "free" in mail["text"]
    assert "$" not in mail["text"]
