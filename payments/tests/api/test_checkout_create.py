import pytest
from django.urls import reverse
from rest_framework.test import APIClient

from courses.models import Enrollment
from courses.tests.factories import enroll_student, make_course
from payments.models import Order
from payments.tests.buying import browser_of, make_order, make_payment
from users.tests.factories import make_user

pytestmark = pytest.mark.django_db
URL = "/api/payments/payments/"


def code(answer) -> str:
    return answer.json()["errors"][0]["code"]


def test_the_address_is_the_contracts():
    assert reverse("payments:checkout") == URL


def test_a_student_gets_the_page_to_pay_on(sandbox):
    course = make_course()
    answer = browser_of(make_user()).post(URL, {"course_id": course.pk})
    session = sandbox.stripe.sessions()[0]
    assert answer.status_code == 201
    assert answer.json() == {
        "checkout_session_id": session["id"],
        "url": session["url"],
        "order_id": str(Order.objects.get().public_id),
        "status": "pending",
    }


def test_a_free_course_is_paid_without_a_page(sandbox):
    course, user = make_course(price_minor=0), make_user()
    answer = browser_of(user).post(URL, {"course_id": course.pk})
    assert answer.status_code == 201
    order_id = str(Order.objects.get().public_id)
    assert answer.json() == {"checkout_session_id": None, "url": None, "order_id": order_id, "status": "paid"}
    assert Enrollment.objects.filter(user=user, course=course).exists()


def test_price_and_addresses_sent_by_the_browser_are_not_believed(sandbox):
    course = make_course(price_minor=4900)
    sent = {"course_id": course.pk, "price_minor": 1, "currency": "jpy", "success_url": "https://evil.example"}
    browser_of(make_user()).post(URL, sent)
    session = sandbox.stripe.sessions()[0]
    assert (session["amount_total"], session["currency"]) == (4900, "usd")
    assert "evil" not in session["success_url"]


def test_a_stranger_has_to_log_in():
    assert APIClient().post(URL, {"course_id": 1}).status_code == 401


def test_an_unverified_address_is_refused(sandbox):
    answer = browser_of(make_user(email_verified_at=None)).post(URL, {"course_id": make_course().pk})
    assert (answer.status_code, code(answer)) == (403, "email_unverified")


def test_an_owned_course_is_refused(sandbox):
    user, course = make_user(), make_course()
    enroll_student(user, course)
    answer = browser_of(user).post(URL, {"course_id": course.pk})
    assert (answer.status_code, code(answer)) == (409, "already_enrolled")


def test_a_paid_order_is_not_paid_again(sandbox):
    client, course = browser_of(make_user()), make_course()
    session_id = client.post(URL, {"course_id": course.pk}).json()["checkout_session_id"]
    sandbox.stripe.pay(session_id)
    answer = client.post(URL, {"course_id": course.pk})
    assert (answer.status_code, code(answer)) == (409, "already_paid")


def test_a_debit_on_its_way_is_said(sandbox):
    user, course = make_user(), make_course()
    order = make_order(user=user, course=course, status="processing")
    make_payment(order, is_processing=True)
    answer = browser_of(user).post(URL, {"course_id": course.pk})
    assert (answer.status_code, code(answer)) == (409, "payment_processing")


def test_a_payment_that_a_person_looks_at_is_said(sandbox):
    client, course = browser_of(make_user()), make_course()
    session_id = client.post(URL, {"course_id": course.pk}).json()["checkout_session_id"]
    session = sandbox.stripe.pay(session_id) | {"amount_total": 1}
    sandbox.context.store.put("stripe.sessions", session_id, session)
    for _ in range(2):
        answer = client.post(URL, {"course_id": course.pk})
        assert (answer.status_code, code(answer)) == (409, "payment_under_review")
    assert len(sandbox.stripe.sessions()) == 1


@pytest.mark.parametrize("overrides", [{"is_published": False}, None])
def test_a_course_that_is_not_for_sale_is_not_found(overrides):
    course_id = make_course(**overrides).pk if overrides else 2**62
    assert browser_of(make_user()).post(URL, {"course_id": course_id}).status_code == 404


@pytest.mark.parametrize(
    "sent", [{}, {"course_id": "x"}, {"course_id": 0}, {"course_id": 2**70}, [1], {"course_id": None}]
)
def test_nonsense_is_refused(sent):
    answer = browser_of(make_user()).post(URL, sent)
    assert answer.status_code == 400
    assert answer.json()["type"] == "validation_error"


def test_with_stripe_down_the_student_is_told_when_to_come_back(sandbox):
    fault = {"path": "/v1/checkout/sessions", "status": 429, "headers": {"Retry-After": "9"}, "times": 3}
    sandbox.fault(service="stripe", **fault)
    answer = browser_of(make_user()).post(URL, {"course_id": make_course().pk})
    assert (answer.status_code, code(answer), answer["Retry-After"]) == (503, "provider_unavailable", "9")


def test_a_wrong_key_is_told_to_the_operator_only(sandbox, settings, caplog):
    settings.STRIPE_SECRET_KEY = "sk_test_sandbox_wrong"
    answer = browser_of(make_user()).post(URL, {"course_id": make_course().pk})
    assert (answer.status_code, code(answer)) == (503, "provider_unavailable")
    assert answer["Retry-After"]
    assert "sk_test" not in answer.content.decode()
    assert "Payments do not work" in caplog.text


def test_a_refusal_of_stripe_is_a_fault_of_ours_and_its_words_stay_here(sandbox):
    answer = browser_of(make_user()).post(URL, {"course_id": make_course(price_minor=10).pk})
    assert (answer.status_code, code(answer)) == (502, "provider_rejected")
    assert "amount" not in answer.content.decode()


def test_checkouts_are_throttled(sandbox):
    client = browser_of(make_user())
    statuses = [client.post(URL, {"course_id": 2**60}).status_code for _ in range(11)]
    assert statuses == [404] * 10 + [429]
