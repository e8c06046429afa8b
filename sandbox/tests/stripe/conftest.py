import pytest
import stripe

from sandbox.config import SandboxConfig
from sandbox.server import Sandbox
from sandbox.tests.stripe.making import KEY, SECRET
from sandbox.tests.stripe.receiver import Receiver


@pytest.fixture
def receiver():
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture
def sandbox(receiver):
    with Sandbox(SandboxConfig(stripe_webhook_url=receiver.url, stripe_webhook_secret=SECRET)) as sandbox:
        yield sandbox


@pytest.fixture
def client(sandbox):
    return stripe.StripeClient(KEY, base_addresses={"api": sandbox.stripe_url}, max_network_retries=0)
