import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from courses.tests.factories import make_course
from payments.models import FailureCode, Order, OrderItem, PaymentStatus, Refund, RefundStatus
from payments.services.checkout import start_checkout
from payments.services.sync import sync_checkout, sync_order
from payments.tests.buying import browser_of, make_order, make_payment, open_checkout
from users.tests.factories import make_user

pytestmark = pytest.mark.django_db
URL = "/api/payments/orders/"


def sync_url(order: Order) -> str:
    return f"{URL}{order.public_id}/sync/"


def test_my_orders_are_listed_newest_first():
    user = make_user()
    course = make_course(price_minor=4900)
    older = make_order(user=user, course=course)
    payment = make_payment(older)
    newer = make_order(user=user)
    make_order()
    answer = browser_of(user).get(URL).json()
    assert (answer["count"], answer["next"], answer["previous"]) == (2, None, None)
    assert [row["id"] for row in answer["results"]] == [str(newer.public_id), str(older.public_id)]
    row = answer["results"][1]
    assert row == {
        "id": str(older.public_id),
        "status": "pending",
        "is_under_review": False,
        "status_text": "We have no payment yet; if you have just paid, it shows up here within a few minutes.",
        "currency": "usd",
        "total_minor": 4900,
        "total_display": "$49.00",
        "discount_minor": 0,
        "discount_display": "$0.00",
        "refunded_minor": 0,
        "refunded_display": "$0.00",
        "created_at": row["created_at"],
        "paid_at": None,
        "has_receipt": False,
        "items": [{"course": {"slug": course.slug, "title": course.title}, "net_minor": 4900, "access": "none"}],
        "payments": [{"id": str(payment.public_id), "status": 1, "status_display": "pending", "amount_minor": 4900}],
        "refunds": [],
    }


def test_an_order_reads_the_same_in_the_list_and_on_its_own():
    user = make_user()
    for _ in range(2):
        order = make_order(user=user)
        OrderItem.objects.create(order=order, course=make_course(), title="Two", unit_minor=900, net_minor=900)
        for attempt, status in ((2, PaymentStatus.COMPLETED), (1, PaymentStatus.FAILED)):
            make_payment(order, attempt=attempt, status=status)
    Order.objects.filter(pk=order.pk).update(status="paid", paid_at=timezone.now(), currency="jpy")
    client = browser_of(user)
    listed = client.get(URL).json()["results"]
    assert len(listed) == 2
    assert [len(row["items"]) + len(row["payments"]) for row in listed] == [4, 4]
    assert listed == [client.get(f"{URL}{row['id']}/").json() for row in listed]


@pytest.mark.parametrize(
    ("status", "number", "words"),
    [
        (PaymentStatus.PENDING, 1, "pending"),
        (PaymentStatus.COMPLETED, 2, "completed"),
        (PaymentStatus.FAILED, -1, "failed"),
        (PaymentStatus.REFUNDED, -2, "refunded"),
    ],
)
def test_payment_states_are_the_contracts_numbers_with_words(status, number, words):
    order = make_order()
    make_payment(order, status=status)
    shown = browser_of(order.user).get(f"{URL}{order.public_id}/").json()["payments"][0]
    assert (shown["status"], shown["status_display"]) == (number, words)


def test_money_that_gave_nothing_is_under_review_until_it_went_back_or_was_seen_to():
    order = make_order(status="failed")
    payment = make_payment(order, status=PaymentStatus.FAILED, failure_code=FailureCode.USER_GONE)
    client = browser_of(order.user)

    def shown(**facts) -> tuple[bool, str]:
        order.payments.update(**facts)
        row = client.get(f"{URL}{order.public_id}/").json()
        return row["is_under_review"], row["status_text"].rpartition(" ")[2]

    assert shown() == (True, "again.")
    assert shown(refunded_minor=1) == (True, "again.")
    assert shown(seen_to_at=timezone.now(), refunded_minor=0) == (False, "it.")
    assert shown(seen_to_at=None, refunded_minor=payment.amount_minor) == (False, "back.")
    assert shown(refunded_minor=0, failure_code=FailureCode.MISMATCH) == (True, "again.")
    assert shown(refunded_minor=1) == (False, "back."), "what it took is not known: it may have been all"
    assert shown(refunded_minor=0, failure_code=FailureCode.EXPIRED)[0] is False


def test_an_order_keeps_the_title_it_was_made_with():
    order = make_order()
    sold_as = order.items.get().title
    order.items.get().course.__class__.objects.update(title="Renamed")
    shown = browser_of(order.user).get(f"{URL}{order.public_id}/").json()
    assert shown["items"][0]["course"]["title"] == sold_as


def test_pages_are_counted():
    user = make_user()
    for _ in range(3):
        make_order(user=user)
    client = browser_of(user)
    second = client.get(URL, {"page": 2, "page_size": 2}).json()
    assert (second["count"], len(second["results"]), second["next"]) == (3, 1, None)
    assert second["previous"]
    assert client.get(URL, {"page": 2, "page_size": 1}).json()["next"]
    for page in ("3", "0", "-1", "x", "99999999999999999999"):
        assert client.get(URL, {"page": page, "page_size": 2}).status_code == 404
    assert client.get(URL, {"page": "last", "page_size": 2}).status_code in (200, 404)


def test_without_orders_the_list_is_empty():
    assert browser_of(make_user()).get(URL).json() == {"count": 0, "next": None, "previous": None, "results": []}


def test_what_went_back_and_what_is_left_is_shown(sandbox):
    user = make_user()
    checkout = open_checkout(user=user, course=make_course(price_minor=4900))
    sandbox.stripe.pay(checkout.session_id)
    order = sync_checkout(checkout.session_id)
    intent = order.payments.get().stripe_payment_intent
    sandbox.stripe.refund(intent, 900)
    failed = sandbox.stripe.refund(intent, 1000)
    sandbox.stripe.settle_refund(failed["id"], "failed")
    refused = {"currency": "usd", "status": RefundStatus.FAILED, "created_at": timezone.now()}
    order.payments.get().refunds.create(amount_minor=5, **refused)
    sync_order(order, everything=True)
    row = browser_of(user).get(URL).json()["results"][0]
    assert (row["status"], row["refunded_minor"], row["refunded_display"]) == ("partially_refunded", 900, "$9.00")
    assert row["status_text"] == "Part of the money was given back; the course stays yours."
    assert {(one["amount_minor"], one["amount_display"], one["status"]) for one in row["refunds"]} == {
        (900, "$9.00", "succeeded"),
        (1000, "$10.00", "failed"),
    }
    assert (row["items"][0]["access"], row["has_receipt"]) == ("granted", True)


@pytest.mark.parametrize("size", [2, 20])
def test_the_list_takes_four_statements_whatever_its_size(size):
    user = make_user()
    for _ in range(size):
        payment = make_payment(make_order(user=user))
        for amount_minor in (1, 2):
            values = {"currency": "usd", "created_at": timezone.now()}
            Refund.objects.create(payment=payment, amount_minor=amount_minor, **values)
    client = browser_of(user)
    with CaptureQueriesContext(connection) as statements:
        rows = client.get(URL).json()["results"]
    assert [(len(row["payments"]), len(row["refunds"])) for row in rows] == [(1, 2)] * size
    assert len(statements) == 4


def test_another_students_order_is_not_found(sandbox):
    order = make_order()
    stranger = browser_of(make_user())
    assert stranger.get(f"{URL}{order.public_id}/").status_code == 404
    assert stranger.post(sync_url(order)).status_code == 404
    assert stranger.get(f"{URL}{uuid.uuid4()}/").status_code == 404
    assert sandbox.calls("stripe") == []


def test_no_answer_about_money_is_kept_on_the_way():
    order = make_order(status="paid", paid_at=timezone.now(), fulfilled_at=timezone.now())
    client = browser_of(order.user)
    answers = [
        client.get(URL),
        client.get(f"{URL}{order.public_id}/"),
        client.get(f"{URL}{uuid.uuid4()}/"),
        client.post(sync_url(order)),
        client.post("/api/payments/payments/", {"course_id": 0}),
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 404, 200, 400]
    assert {answer["Cache-Control"] for answer in answers} == {"no-store"}


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_stranger_has_to_log_in(method):
    order = make_order()
    path = sync_url(order) if method == "post" else URL
    assert getattr(APIClient(), method)(path).status_code == 401


def test_the_landing_page_learns_that_the_order_is_paid(sandbox):
    user, course = make_user(), make_course()
    checkout = start_checkout(user=user, course=course)
    client = browser_of(user)
    assert client.post(sync_url(checkout.order)).json()["status"] == "pending"
    sandbox.stripe.pay(checkout.session_id)
    answer = client.post(sync_url(checkout.order))
    assert answer.status_code == 200
    assert answer.json()["status"] == "paid"
    assert answer.json()["payments"][0]["status_display"] == "completed"
    asked = len(sandbox.calls("stripe"))
    client.post(sync_url(checkout.order))
    assert len(sandbox.calls("stripe")) == asked


def test_a_landing_while_stripe_is_down_says_when_to_come_back(sandbox):
    user = make_user()
    checkout = start_checkout(user=user, course=make_course())
    sandbox.fault(service="stripe", path="/v1/checkout/sessions", status=500, times=2)
    answer = browser_of(user).post(sync_url(checkout.order))
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (503, "provider_unavailable")
    assert answer["Retry-After"]


def test_a_landing_changes_nothing_by_get():
    order = make_order()
    assert browser_of(order.user).get(sync_url(order)).status_code == 405


def test_landings_are_throttled():
    order = make_order()
    client = browser_of(order.user)
    statuses = [client.post(sync_url(order)).status_code for _ in range(31)]
    assert statuses == [200] * 30 + [429]
