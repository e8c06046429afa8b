import random
from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest
from django.utils import timezone

from courses.tests.factories import make_course
from payments.models import Dispute, OrderItem, Payment, PaymentStatus, Refund, RefundItem
from payments.services.revenue import WITHOUT_COURSE, revenue
from payments.spreading import spread
from payments.tests.buying import make_order, make_payment
from users.tests.factories import make_user

pytestmark = pytest.mark.django_db

FIRST, LAST = date(2026, 3, 1), date(2026, 3, 10)
STATES = [
    {"status": PaymentStatus.COMPLETED},
    {"status": PaymentStatus.REFUNDED},
    {"status": PaymentStatus.PENDING, "paid_at": None},
    {"status": PaymentStatus.FAILED, "failure_code": "expired", "paid_at": None},
    {"status": PaymentStatus.FAILED, "failure_code": "user_gone"},
    {"status": PaymentStatus.FAILED, "failure_code": "mismatch"},
]


def moment(chance: random.Random) -> datetime:
    """Somewhere around the period, its very edges among them."""
    edges = [datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 10, 23, 59, 59, 999999, tzinfo=UTC)]
    anywhere = datetime(2026, 2, 27, tzinfo=UTC) + timedelta(seconds=chance.randrange(15 * 86400))
    return chance.choice([*edges, datetime(2026, 3, 11, tzinfo=UTC), *[anywhere] * 5])


def history(chance: random.Random) -> None:
    """Orders of one to three courses with payments, refunds and disputes of every state."""
    courses = [make_course(title=title) for title in ("Proofs", "Sea", "Ethics")]
    user = make_user()
    for number in range(30):
        currency = chance.choice(["usd", "usd", "eur"])
        nets = [chance.choice([0, 1, 333, 4900, 9999]) for _ in range(chance.choice([1, 1, 2, 3]))]
        order = make_order(user=user, course=courses[0], currency=currency, total_minor=sum(nets))
        order.items.all().delete()
        for course, net in zip(courses, nets, strict=False):
            OrderItem.objects.create(order=order, course=course, title="x", unit_minor=net, net_minor=net)
        discount = chance.choice([0, 0, order.total_minor // 3])
        paid = {"discount_minor": discount, "paid_at": moment(chance)} | chance.choice(STATES)
        payment = make_payment(order, **paid)
        for part in range(chance.choice([0, 1, 2])):
            status = chance.choice(["succeeded", "pending", "failed", "canceled"])
            stripe_id = chance.choice([None, f"re_{number}_{part}"])
            back = {"amount_minor": chance.choice([1, 100, 4900]), "currency": currency, "created_at": moment(chance)}
            refund = Refund.objects.create(payment=payment, status=status, stripe_id=stripe_id, **back)
            for item in chance.sample(list(order.items.all()), chance.choice([0, 0, 1])):
                RefundItem.objects.create(refund=refund, item=item)
        if chance.random() < 0.4:
            back = {"amount_minor": 777, "currency": currency, "created_at": moment(chance)}
            status = chance.choice(["lost", "won", "needs_response"])
            Dispute.objects.create(payment=payment, stripe_id=f"dp_{number}", status=status, **back)
        if chance.random() < 0.15:
            order.delete()


def moved():
    """Every movement of money, one by one: kind, currency, moment, amount, the items that share it."""
    for payment in Payment.objects.all():
        items = list(payment.order.items.order_by("pk")) if payment.order else []
        if payment.failure_code == "mismatch":
            continue
        if payment.has_money:
            yield "gross", payment.currency, payment.paid_at, payment.paid_minor, items
        for refund in payment.refunds.all():
            named = [row.item for row in refund.items.order_by("item")]
            if refund.stripe_id and refund.status in ("succeeded", "pending"):
                yield "refunded", refund.currency, refund.created_at, refund.amount_minor, named or items
        for dispute in payment.disputes.filter(status="lost"):
            yield "lost", dispute.currency, dispute.created_at, dispute.amount_minor, items


@pytest.mark.parametrize("currency", ["usd", "eur"])
@pytest.mark.parametrize("seed", range(2))
def test_the_figures_are_those_of_adding_up_row_by_row(currency, seed, django_assert_num_queries):
    history(random.Random(seed))
    by_day, by_course = Counter(), Counter()
    for kind, of, at, amount, items in moved():
        if of == currency and FIRST <= at.astimezone(UTC).date() <= LAST:
            by_day[at.astimezone(UTC).date(), kind] += amount
            for item, share in zip(
                items, spread(amount, [item.net_minor for item in items]) if items else [], strict=True
            ):
                by_course[item.course.title, kind] += share
            if not items:
                by_course[WITHOUT_COURSE, kind] += amount

    with timezone.override("Pacific/Auckland"), django_assert_num_queries(5):
        told = revenue(first=FIRST, last=LAST, currency=currency)

    def flat(rows):
        kinds = ("gross", "refunded", "lost")
        return {(key, kind): got for key, row in rows for kind in kinds if (got := getattr(row, f"{kind}_minor"))}

    assert by_day, "the history must move something"
    assert len(told.days) == 10
    assert flat(told.days) == {key: amount for key, amount in by_day.items() if amount}
    assert flat(told.courses) == {key: amount for key, amount in by_course.items() if amount}
    nets = {
        kind: sum(amount for (_, of), amount in by_day.items() if of == kind) for kind in ("gross", "refunded", "lost")
    }
    assert told.total.net_minor == nets["gross"] - nets["refunded"] - nets["lost"]


def test_nothing_was_sold_is_a_page_of_zeros():
    told = revenue(first=FIRST, last=FIRST, currency="usd")
    assert (told.total.net_minor, told.courses, len(told.days)) == (0, [], 1)
