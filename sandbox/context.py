from collections.abc import Callable
from dataclasses import dataclass, field

from sandbox.config import SandboxConfig
from sandbox.deliveries import Deliveries
from sandbox.faults import Faults
from sandbox.store import Store


@dataclass
class WebhookTargets:
    """Where webhooks go now: from the configuration at first, then whatever a test or the control page sets."""

    stripe_url: str = ""
    stripe_secret: str = field(default="", repr=False)
    vdocipher_url: str = ""
    cloudflare_url: str = ""
    cloudflare_secret: str = field(default="", repr=False)
    bunny_url: str = ""

    def configure(self, config: SandboxConfig) -> None:
        """Back to where the sandbox was started with."""
        self.stripe_url = config.stripe_webhook_url
        self.stripe_secret = config.stripe_webhook_secret
        self.vdocipher_url = config.vdocipher_webhook_url
        self.cloudflare_url = config.cloudflare_webhook_url
        self.cloudflare_secret = config.cloudflare_webhook_secret
        self.bunny_url = config.bunny_webhook_url


@dataclass
class SandboxContext:
    """What every stand-in shares. `base_url` is empty until the server has bound its port.

    `on_forget` is called when the sandbox forgets everything, for what is kept outside the store.
    """

    config: SandboxConfig
    store: Store
    faults: Faults
    deliveries: Deliveries
    webhooks: WebhookTargets
    base_url: str = ""
    on_forget: list[Callable[[], None]] = field(default_factory=list)
