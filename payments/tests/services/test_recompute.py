from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payments.models import FailureCode, OrderStatus, PaymentStatus, Refund
from payments.services.recompute import PaymentFacts, claimed_minor, derive_status, is_given_up

PENDING, COMPLETED, FAILED, REFUNDED = (
    PaymentStatus.PENDING,
    PaymentStatus.COMPLETED,
    PaymentStatus.FAILED,
    PaymentStatus.REFUNDED,
)


def facts(attempt=1, status=PENDING, paid_minor=4900, **overrides) -> PaymentFacts:
    return PaymentFacts(attempt=attempt, status=status, paid_minor=paid_minor, **overrides)


@pytest.mark.parametrize(
    ("total", "payments", "status"),
    [
        (0, [], "paid"),
        (4900, [], "pending"),
        (4900, [facts()], "pending"),
        (4900, [facts(is_processing=True)], "processing"),
        (4900, [facts(status=COMPLETED)], "paid"),
        (4900, [facts(status=FAILED, failure_code=FailureCode.EXPIRED)], "expired"),
        (4900, [facts(status=FAILED, failure_code=FailureCode.ASYNC_FAILED)], "failed"),
        (4900, [facts(status=FAILED, failure_code=FailureCode.USER_GONE)], "failed"),
        (4900, [facts(status=FAILED, failure_code=FailureCode.EXPIRED), facts(2)], "pending"),
        (4900, [facts(status=COMPLETED), facts(2, FAILED, failure_code=FailureCode.EXPIRED)], "paid"),
        (4900, [facts(status=COMPLETED, refunded_minor=100)], "partially_refunded"),
        (4900, [facts(status=REFUNDED, refunded_minor=4900)], "refunded"),
        (4900, [facts(status=REFUNDED, refunded_minor=4900), facts(2, COMPLETED)], "paid"),
        (
            4900,
            [facts(status=COMPLETED, refunded_minor=100), facts(2, REFUNDED, refunded_minor=4900)],
            "partially_refunded",
        ),
        (4900, [facts(status=COMPLETED, paid_minor=4000)], "paid"),
        (4900, [facts(status=COMPLETED, paid_minor=0)], "paid"),
        (4900, [facts(status=COMPLETED, paid_minor=0), facts(2, REFUNDED, refunded_minor=4900)], "paid"),
        (4900, [facts(status=COMPLETED, paid_minor=3900), facts(2, REFUNDED, refunded_minor=4900)], "paid"),
        (
            4900,
            [facts(status=REFUNDED, paid_minor=3900, refunded_minor=3900), facts(2, COMPLETED, refunded_minor=1000)],
            "partially_refunded",
        ),
        (
            4900,
            [facts(status=COMPLETED, refunded_minor=2400), facts(2, COMPLETED, refunded_minor=2500)],
            "paid",
        ),
        (4900, [facts(status=COMPLETED, is_disputed=True)], "disputed"),
        (4900, [facts(status=FAILED, failure_code=FailureCode.MISMATCH)], "failed"),
    ],
)
def test_the_status_follows_from_the_payments(total, payments, status):
    assert {derive_status(total, order) for order in permutations(payments)} == {OrderStatus(status)}


@st.composite
def some_payments(draw):
    made = []
    for attempt in range(1, draw(st.integers(0, 4)) + 1):
        status = draw(st.sampled_from(list(PaymentStatus)))
        amount = draw(st.integers(1, 10_000))
        refunded = {COMPLETED: draw(st.integers(0, amount - 1)), REFUNDED: amount}.get(status, 0)
        code = draw(st.sampled_from(list(FailureCode))) if status == FAILED else ""
        processing = status == PENDING and draw(st.booleans())
        made.append(
            facts(attempt, status, amount, refunded_minor=refunded, failure_code=code, is_processing=processing)
        )
    return made


@given(some_payments(), st.integers(1, 10_000), st.randoms(use_true_random=False))
def test_the_order_of_the_payments_never_matters(payments, total, random):
    shuffled = random.sample(payments, len(payments))
    assert derive_status(total, payments) == derive_status(total, shuffled)


@given(some_payments(), st.integers(1, 10_000))
def test_access_is_granted_exactly_while_money_is_kept(payments, total):
    kept = sum(p.paid_minor - p.refunded_minor for p in payments if p.status in (COMPLETED, REFUNDED))
    grants = derive_status(total, payments) in (OrderStatus.PAID, OrderStatus.PARTIALLY_REFUNDED)
    assert grants == (kept > 0)


def refunds(*amounts_and_states: tuple[int, str]) -> list[Refund]:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    return [
        Refund(pk=n, stripe_id=f"re_{n}", amount_minor=amount, status=status, created_at=start + timedelta(hours=n))
        for n, (amount, status) in enumerate(amounts_and_states)
    ]


@pytest.mark.parametrize(
    ("made", "claimed"),
    [
        ([], 0),
        ([(1000, "succeeded"), (900, "pending")], 1900),
        ([(4900, "failed")], 4900),
        ([(4900, "failed"), (4900, "succeeded")], 4900),
        ([(1000, "failed"), (3900, "succeeded")], 3900),
        ([(3900, "succeeded"), (1000, "failed")], 4900),
        ([(4900, "canceled")], 0),
    ],
)
def test_what_was_claimed_counts_a_failed_refund_with_what_came_before_it(made, claimed):
    assert {claimed_minor(order) for order in permutations(refunds(*made))} == {claimed}


def test_a_refund_that_stripe_never_had_claims_nothing():
    assert claimed_minor([Refund(amount_minor=4900, status="failed", created_at=datetime.now(UTC))]) == 0


@pytest.mark.parametrize(
    ("payment", "counts_lost", "expected"),
    [
        (facts(status=COMPLETED), True, False),
        (facts(status=COMPLETED, claimed_minor=4900), True, True),
        (facts(status=COMPLETED, claimed_minor=4899), True, False),
        (facts(status=COMPLETED, claimed_minor=900, lost_minor=4000), True, True),
        (facts(status=COMPLETED, claimed_minor=900, lost_minor=4000), False, False),
        (facts(status=COMPLETED, paid_minor=0), True, False),
    ],
)
def test_a_payment_is_given_up_when_all_of_it_was_claimed_back(payment, counts_lost, expected):
    assert is_given_up(payment, counts_lost=counts_lost) is expected
