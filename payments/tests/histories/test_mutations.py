"""The histories are able to fail: a fault put into our services breaks one of those that touch it."""

import pytest

from payments.tests.histories.crew import Crew
from payments.tests.histories.known import KNOWN
from payments.tests.histories.mutations import MUTATIONS, mutated
from payments.tests.histories.running import Broken, run_history
from payments.tests.histories.steps import Do, History, Step
from sandbox.server import Sandbox


def _paid_then(*steps: Step) -> History:
    return History(steps=(Step(Do.BUY), *steps))


BREAKS = {
    "stale answers are applied": KNOWN["an answer is held up while the dispute is won"],
    "unsent refunds are not resumed": KNOWN["a refund is asked for while Stripe does not answer"],
    "an event is settled before its work": KNOWN["a delivery dies in the middle of its work, and comes again"],
    "an event seen is taken for done": KNOWN["a delivery dies in the middle of its work, and comes again"],
    "mails have no unique key": _paid_then(),
    "claimed refunds are forgotten": _paid_then(Step(Do.REFUND), Step(Do.REFUND_FAILS)),
    "settled payments are taken again": _paid_then(Step(Do.CLOSE_ACCOUNT), Step(Do.DASHBOARD_REFUND_PART)),
    "late money is refused": KNOWN["the page of a lost answer is paid beside the page that took its place"],
    "a surplus is kept": KNOWN["the page of a lost answer is paid beside the page that took its place"],
    "duplicates are kept": KNOWN["staff grants what is being paid, and the bank debit comes"],
    "each try of a refund has a new key": KNOWN["the answer to a refund is lost, and so is what Stripe tells of it"],
    "heirs of a right are not asked": KNOWN["two orders of one course are paid and kept, and the first is refunded"],
    "lost refunds are not reconciled": KNOWN["nobody tells of a refund"],
    "lost disputes are not reconciled": KNOWN["nobody tells of a dispute"],
    "open payments are not asked about": KNOWN["nobody tells of a page that ran out"],
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_fault_can_be_put_in_and_is_taken_out_again(name: str) -> None:
    with mutated(name):
        pass


def test_faults_are_found(sandbox: Sandbox, crew: Crew) -> None:
    missed = []
    for name, history in BREAKS.items():
        with mutated(name):
            try:
                run_history(sandbox, crew, history)
            except Broken:
                continue
        missed.append(name)
    assert missed == []
