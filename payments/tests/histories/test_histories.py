"""Random histories of purchases, refunds and disputes; our rows must equal Stripe's books after each."""

from random import Random

import pytest

from payments.tests.histories.crew import Crew
from payments.tests.histories.running import check
from payments.tests.histories.steps import draw_history
from sandbox.server import Sandbox

HISTORIES, PARTS = 100, 4


@pytest.mark.parametrize("part", range(PARTS))
def test_whatever_happens_nothing_is_lost_doubled_or_left_ungranted(sandbox: Sandbox, crew: Crew, part: int) -> None:
    for seed in range(part, HISTORIES, PARTS):
        check(sandbox, crew, draw_history(Random(seed)), seed=seed)
