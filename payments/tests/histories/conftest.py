from collections.abc import Iterator

import pytest

from payments.tests.histories.crew import Crew
from payments.tests.histories.running import stage


@pytest.fixture
def crew(transactional_db, sandbox) -> Iterator[Crew]:
    with stage() as crew:
        yield crew
