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


@pytest.fixture(scope="module")
def running():
    with Sandbox(SandboxConfig(stripe_webhook_secret=SECRET)) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running, receiver):
    running.reset()
    running.context.webhooks.stripe_url = receiver.url
    return running


@pytest.fixture
def client(sandbox):
    return stripe.StripeClient(KEY, base_addresses={"api": sandbox.stripe_url}, max_network_retries=0)
