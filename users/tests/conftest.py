import re
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest
from rest_framework.test import APIClient

LINK = re.compile(r"https?://\S+\?\S+")


@pytest.fixture
def api() -> APIClient:
    return APIClient()


@pytest.fixture
def mailed_query(sandbox) -> Callable[..., dict[str, str]]:
    """The query of the link in the newest mail, which must have gone to `address` and to nobody else."""

    def query(address: str) -> dict[str, str]:
        newest = sandbox.messages()[0]
        assert newest["to"] == [address]
        [link] = [line for line in newest["text"].splitlines() if LINK.fullmatch(line)]
        return {name: value for name, [value] in parse_qs(urlsplit(link).query).items()}

    return query


@pytest.fixture
def set_rate(settings) -> Callable[..., None]:
    """Give one rate another value: `set_rate("login", "2/min")`."""

    def change(name: str, rate: str) -> None:
        rates = settings.REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"] | {name: rate}
        settings.REST_FRAMEWORK = settings.REST_FRAMEWORK | {"DEFAULT_THROTTLE_RATES": rates}

    return change
