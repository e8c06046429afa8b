from collections.abc import Iterator

import pytest

from sandbox.config import SandboxConfig
from sandbox.server import Sandbox


@pytest.fixture(scope="module")
def running() -> Iterator[Sandbox]:
    with Sandbox(SandboxConfig(vdocipher_encode_s=0.2, stripe_webhook_secret="whsec_sandbox_tests")) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running: Sandbox) -> Sandbox:
    running.reset()
    return running
