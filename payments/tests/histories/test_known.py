import pytest

from payments.tests.histories.crew import Crew
from payments.tests.histories.known import KNOWN
from payments.tests.histories.running import run_history
from payments.tests.histories.steps import Do, Fate, History, Step
from sandbox.server import Sandbox

MOST_STEPS, PARTS = 200, 2


@pytest.mark.parametrize("name", KNOWN)
def test_a_history_ends_as_the_books_say(sandbox: Sandbox, crew: Crew, name: str) -> None:
    run_history(sandbox, crew, KNOWN[name])


@pytest.mark.parametrize("part", range(PARTS))
def test_a_purchase_survives_a_crash_at_each_step_of_its_delivery(sandbox: Sandbox, crew: Crew, part: int) -> None:
    for number in range(part, MOST_STEPS, PARTS):
        step = Step(Do.BUY, delivery_crash=number)
        if not run_history(sandbox, crew, History(steps=(step,), is_lossless=True))["crashes"]:
            return
    pytest.fail("there are more steps than were tried")


def test_a_refund_survives_a_crash_at_every_third_step(sandbox: Sandbox, crew: Crew) -> None:
    for number in range(0, MOST_STEPS, 3):
        steps = (Step(Do.BUY), Step(Do.REFUND, crash=number, fates=(Fate.LOST,)))
        if not run_history(sandbox, crew, History(steps=steps))["crashes"]:
            return
    pytest.fail("there are more steps than were tried")
