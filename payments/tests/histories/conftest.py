from collections.abc import Iterator

import pytest
import stripe

from payments.tests.histories.audit import auditing
from payments.tests.histories.crew import Crew


@pytest.fixture
def crew(transactional_db, sandbox, monkeypatch) -> Iterator[Crew]:
    """Eight workers, on a database that notes every change of a state."""
    monkeypatch.setattr(stripe.HTTPClient, "INITIAL_DELAY", 0.001)
    monkeypatch.setattr(stripe.HTTPClient, "MAX_DELAY", 0.001)
    with auditing(), Crew() as crew:
        yield crew
