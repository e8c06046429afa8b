import pytest

from courses.tests.factories import make_course
from payments.models import Order, Payment
from payments.services.sync import sync_checkout
from payments.tests.buying import browser_of, make_order, make_payment, open_checkout
from users.tests.factories import make_user

pytestmark = pytest.mark.django_db


def url(order: Order) -> str:
    return f"/api/payments/orders/{order.public_id}/receipt/"


def code(answer) -> tuple[int, str]:
    return answer.status_code, answer.json()["errors"][0]["code"]


@pytest.fixture
def paid(sandbox) -> Order:
    checkout = open_checkout()
    sandbox.stripe.pay(checkout.session_id)
    return sync_checkout(checkout.session_id)


def test_the_student_is_led_to_the_receipt_which_is_stored_nowhere(paid, sandbox):
    answer = browser_of(paid.user).get(url(paid))
    charge_id = paid.payments.get().charge_id
    assert answer.status_code == 200, answer.json()
    assert answer.json() == {"url": f"{sandbox.stripe_url}/receipts/{charge_id}"}
    assert answer["Cache-Control"] == "no-store"
    assert not [row for row in Payment.objects.values() if any("/receipts/" in str(value) for value in row.values())]


def test_nobody_else_is_told_not_even_that_there_is_one(paid, sandbox):
    asked = len(sandbox.calls("stripe"))
    assert code(browser_of(make_user()).get(url(paid))) == (404, "not_found")
    assert len(sandbox.calls("stripe")) == asked


def test_what_was_not_charged_has_no_receipt_and_stripe_is_not_asked(sandbox):
    free = open_checkout(course=make_course(price_minor=0)).order
    unpaid = make_order()
    make_payment(unpaid)
    for order in (free, unpaid):
        assert code(browser_of(order.user).get(url(order))) == (404, "no_receipt")
    assert sandbox.calls("stripe") == []


def test_of_two_payments_the_kept_one_has_the_receipt(paid, sandbox):
    kept = paid.payments.get()
    paid_at = kept.paid_at
    make_payment(
        paid, attempt=0, status=-2, charge_id="ch_given_back", refunded_minor=paid.total_minor, paid_at=paid_at
    )
    assert browser_of(paid.user).get(url(paid)).json()["url"].endswith(kept.charge_id)


def test_a_charge_that_stripe_has_forgotten_has_no_receipt(paid):
    paid.payments.update(charge_id="ch_of_another_account")
    assert code(browser_of(paid.user).get(url(paid))) == (404, "no_receipt")


def test_an_outage_says_when_to_come_back(paid, sandbox):
    sandbox.fault(service="stripe", path="/v1/charges", status=500, times=2)
    answer = browser_of(paid.user).get(url(paid))
    assert code(answer) == (503, "provider_unavailable")
    assert answer["Retry-After"]


def test_receipts_are_throttled(sandbox):
    order = make_order()
    client = browser_of(order.user)
    assert [client.get(url(order)).status_code for _ in range(21)] == [404] * 20 + [429]
