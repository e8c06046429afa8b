"""The algebra of watched time against the plainest model there is: sets of single milliseconds."""

from collections import Counter
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from videos.intervals import (
    bounded,
    clipped,
    gaps,
    has_number,
    merged,
    scaled,
    shortened,
    stepped,
    total,
    watched,
    with_number,
)

END = 60
moments = st.integers(0, END)
raw_spans = st.lists(st.tuples(moments, moments).map(sorted), max_size=12)
numbers = st.integers(0, 30)


def moments_of(spans) -> set[int]:
    return {moment for span in spans for moment in range(span[0], span[1])}


def plays_of(steps) -> Counter:
    return Counter(moment for start, end, times in steps for moment in range(start, end) for _ in range(times))


def is_tidy(spans) -> bool:
    return all(span[0] < span[1] for span in spans) and all(a[1] < b[0] for a, b in pairwise(spans))


@given(raw_spans)
def test_merging_keeps_each_moment_once(spans):
    result = merged(spans)
    assert moments_of(result) == moments_of(spans)
    assert total(result) == len(moments_of(spans))
    assert is_tidy(result)
    assert merged(result) == result


@given(raw_spans, raw_spans, raw_spans)
def test_merging_does_not_care_for_order_or_grouping(a, b, c):
    assert merged([*a, *b, *c]) == merged([*c, *a, *b]) == merged([*a, *merged([*b, *c])])


@given(raw_spans, raw_spans)
def test_steps_count_every_play_of_every_moment(first, second):
    steps = stepped(stepped([], first), second)
    plays = Counter(moment for start, end in [*first, *second] for moment in range(start, end))
    assert plays_of(steps) == plays
    assert watched(steps) == plays.total()
    assert total(steps) == len(plays)
    assert steps == stepped(stepped([], second), first)


@given(raw_spans)
def test_neighbouring_steps_differ_and_do_not_overlap(spans):
    steps = stepped([], spans)
    for before, after in pairwise(steps):
        assert before[1] <= after[0]
        assert before[1] < after[0] or before[2] != after[2]


@given(st.lists(st.tuples(st.integers(-50, 150), st.integers(-50, 150)), max_size=8))
def test_clipping_leaves_what_lies_within(spans):
    assert moments_of(clipped(spans, END)) == {moment for moment in moments_of(spans) if 0 <= moment < END}


@given(raw_spans, st.integers(0, 200))
def test_shortening_takes_the_first_moments_and_no_more(spans, most):
    result = shortened(spans, most)
    assert total(result) == min(most, total(spans))
    assert moments_of(result) <= moments_of(spans)


@given(raw_spans, st.integers(1, 10))
def test_gaps_and_spans_make_up_the_whole(spans, at_least):
    left_out = gaps(merged(spans), END, at_least=1)
    assert moments_of(left_out) | moments_of(spans) == set(range(END))
    assert not moments_of(left_out) & moments_of(spans)
    long_ones = [gap for gap in left_out if gap[1] - gap[0] >= at_least]
    assert gaps(merged(spans), END, at_least=at_least) == long_ones


@given(raw_spans, st.integers(1, 200))
def test_scaling_grants_no_more_than_the_share_that_was_seen(spans, new):
    result = scaled(merged(spans), END, new)
    assert total(result) * END <= total(merged(spans)) * new
    assert all(0 <= start < end <= new for start, end in result)


@given(st.integers(1, 10**9), st.integers(1, 10**9))
def test_scaling_keeps_all_of_a_video_all_of_it(old, new):
    assert scaled([[0, old]], old, new) == [[0, new]]


@given(raw_spans, st.integers(1, 4))
def test_a_limit_keeps_the_longest_and_adds_nothing(spans, most):
    whole = merged(spans)
    kept = bounded(whole, most)
    assert len(kept) == min(most, len(whole))
    assert moments_of(kept) <= moments_of(whole)
    assert kept == sorted(kept)
    lost = [span for span in whole if span not in kept]
    assert not lost or max(b - a for a, b in lost) <= min(b - a for a, b in kept)


@given(st.lists(numbers, max_size=40))
def test_a_number_is_known_once_it_was_taken(taken):
    ranges: list = []
    for number in taken:
        ranges = with_number(ranges, number, most=100)
    assert {number for number in range(40) if has_number(ranges, number)} == set(taken)
    assert all(a[1] + 1 < b[0] for a, b in pairwise(ranges))


@given(st.lists(st.integers(0, 500), max_size=80))
def test_past_the_limit_old_numbers_are_taken_for_known_never_for_new(taken):
    ranges: list = []
    for number in taken:
        ranges = with_number(ranges, number, most=3)
        assert len(ranges) <= 3
    assert all(has_number(ranges, number) for number in taken)
