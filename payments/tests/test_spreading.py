from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payments.spreading import spread

HUGE = 10**30
amounts = st.integers(0, HUGE)
weights = st.lists(st.integers(0, HUGE), min_size=1, max_size=12)


@given(amounts, weights)
def test_no_unit_is_lost_made_or_put_far_from_where_it_belongs(amount, weights):
    shares = spread(amount, weights)
    assert (len(shares), sum(shares)) == (len(weights), amount)
    assert all(type(share) is int and share >= 0 for share in shares)
    if total := sum(weights):
        exact = [Fraction(amount * weight, total) for weight in weights]
        assert all(abs(share - wanted) < 1 for share, wanted in zip(shares, exact, strict=True))
        assert all(share == 0 for share, weight in zip(shares, weights, strict=True) if weight == 0)


@given(amounts, weights)
def test_who_weighs_more_never_gets_less_and_equals_are_served_in_their_order(amount, weights):
    shares = spread(amount, weights)
    for first, heavy in enumerate(weights):
        for later, light in enumerate(weights):
            if heavy > light or (heavy == light and first < later):
                assert shares[first] >= shares[later]


@given(st.integers(0, 10**8), st.lists(st.integers(0, 10**8), min_size=1, max_size=12))
def test_a_discount_never_makes_an_item_dearer(paid, prices):
    paid = min(paid, sum(prices))
    assert all(share <= price for share, price in zip(spread(paid, prices), prices, strict=True))


@pytest.mark.parametrize(
    ("amount", "weights", "shares"),
    [
        (100, [1, 1, 1], [34, 33, 33]),
        (1, [0, 0, 7], [0, 0, 1]),
        (5, [0, 0], [5, 0]),
        (0, [3, 4], [0, 0]),
        (2, [1, 1, 1], [1, 1, 0]),
    ],
)
def test_some_shares_by_hand(amount, weights, shares):
    assert spread(amount, weights) == shares


def test_nothing_to_spread_over_is_refused():
    with pytest.raises(ValueError, match="nothing to spread"):
        spread(1, [])
