"""Random histories of purchases, refunds and disputes; our rows must equal Stripe's books after each."""

from random import Random

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from payments.tests.histories.crew import Crew
from payments.tests.histories.running import check
from payments.tests.histories.steps import draw_history
from sandbox.server import Sandbox

HISTORIES, PARTS = 60, 4
# Evenly drawn ones, and those of a generator that is fond of limits and repeats.
RANDOMS = st.randoms(use_true_random=True) | st.randoms(use_true_random=False)


@pytest.mark.parametrize("part", range(PARTS))
def test_whatever_happens_nothing_is_lost_doubled_or_left_ungranted(sandbox: Sandbox, crew: Crew, part: int) -> None:
    @seed(part)
    @settings(
        max_examples=HISTORIES // PARTS,
        database=None,
        deadline=None,
        # `check` shortens what is broken: it knows which step may go without another, and stops after a minute.
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(RANDOMS)
    def happens(random: Random) -> None:
        check(sandbox, crew, draw_history(random), seed=part)

    happens()
