"""Random histories of purchases, refunds and disputes; our rows must equal Stripe's books after each."""

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

from payments.tests.histories.crew import Crew
from payments.tests.histories.running import run_history
from payments.tests.histories.steps import History, histories
from sandbox.server import Sandbox

EXAMPLES, PARTS = 100, 4


@pytest.mark.parametrize("part", range(PARTS))
def test_whatever_happens_nothing_is_lost_doubled_or_left_ungranted(sandbox: Sandbox, crew: Crew, part: int) -> None:
    @seed(part)
    @settings(
        max_examples=EXAMPLES // PARTS,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    @given(histories())
    def check(history: History) -> None:
        run_history(sandbox, crew, history)

    check()
