from collections.abc import Iterator

import pytest

from sandbox.config import SandboxConfig
from sandbox.server import Sandbox


@pytest.fixture(scope="module")
def running() -> Iterator[Sandbox]:
    with Sandbox(SandboxConfig(cloudflare_encode_s=0.2, cloudflare_webhook_secret="hook-secret")) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running: Sandbox) -> Sandbox:
    running.reset()
    return running
