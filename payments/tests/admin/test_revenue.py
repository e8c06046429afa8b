import json
import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape

from courses.tests.counting import statements
from courses.tests.factories import make_course
from payments.models import Dispute, Refund
from payments.tests.admin.people import operator, told
from payments.tests.buying import make_order, make_payment

pytestmark = pytest.mark.django_db


def sell(title="Proofs", *, days_ago=1, **order):
    """A course sold, a tenth of it given back."""
    at = timezone.now() - timedelta(days=days_ago)
    made = make_order(course=make_course(title=title), **order)
    payment = make_payment(made, status=2, paid_at=at)
    back = {"payment": payment, "currency": made.currency, "status": "succeeded", "created_at": at}
    Refund.objects.create(amount_minor=made.total_minor // 10, stripe_id=f"re_{made.pk}", **back)
    return payment


def show(**period) -> str:
    return told(operator().get(reverse("admin:payments_revenue"), period))


def charts(page: str) -> list[dict]:
    return [json.loads(found.replace("&quot;", '"')) for found in re.findall(r'data-value="([^"]+)"', page)]


def test_the_last_thirty_days_are_shown_in_the_currency_of_the_last_payment():
    sell(days_ago=31)
    sell(days_ago=3)
    lost = {"amount_minor": 1000, "currency": "eur", "status": "lost", "created_at": timezone.now()}
    euros = sell("The <Sea>", currency="eur", days_ago=2)
    Dispute.objects.create(payment=euros, stripe_id="dp_1", **lost)
    page = show()
    for expected in ("€49.00", "€4.90", "€10.00", "€34.10", escape("The <Sea>")):
        assert expected in page, expected
    assert "$49.00" not in page
    assert page.count('role="img" aria-label="Chart of the money of each') == 2
    by_day, by_course = charts(page)
    assert len(by_day["labels"]) == 30
    gross, refunded, lost = (dataset["data"] for dataset in by_course["datasets"])
    assert (gross, refunded, lost) == (["49.00"], ["-4.90"], ["-10.00"])


def test_a_period_and_a_currency_are_chosen():
    sell(days_ago=40)
    first, last = (timezone.now() - timedelta(days=days) for days in (45, 39))
    page = show(first=first.date(), last=last.date(), currency="usd")
    assert "$44.10" in page
    assert len(charts(page)[0]["labels"]) == 7
    assert "No money moved" in show(first=first.date(), last=first.date(), currency="jpy")


@pytest.mark.parametrize(
    "period",
    [
        {"first": "2026-03-02", "last": "2026-03-01", "currency": "usd"},
        {"first": "2000-01-01", "last": "2026-03-01", "currency": "usd"},
        {"first": "9999-12-31", "last": "9999-12-31", "currency": "usd"},
        {"first": "0001-01-01", "last": "0001-01-01", "currency": "usd"},
        {"first": "soon", "last": "2026-03-01", "currency": "usd"},
        {"first": "2026-03-01", "last": "2026-03-01", "currency": "xyz"},
        {"first": "2026-03-01"},
    ],
)
def test_a_period_that_makes_no_sense_is_refused_in_words(period):
    page = show(**period)
    assert 'canvas class="chart"' not in page
    assert any(words in page for words in ("comes before", "are known", "valid date", "valid choice", "is required"))


def test_the_page_takes_as_many_statements_for_much_money_as_for_little():
    client, page = operator(), reverse("admin:payments_revenue")
    sell()
    client.get(page)
    few = statements(lambda: client.get(page))
    for number in range(4):
        sell(f"Course {number}", days_ago=number)
    assert statements(lambda: client.get(page)) == few <= 10
