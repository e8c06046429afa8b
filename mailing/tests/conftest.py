import pytest

from mailing import services


@pytest.fixture
def renderers(monkeypatch) -> dict:
    """The renderers of this test alone; put one in under a kind."""
    own: dict = {}
    monkeypatch.setattr(services, "_renderers", own)
    return own
