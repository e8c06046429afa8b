from collections.abc import Iterator

import pytest
from django.core.cache import cache

from sandbox.config import SandboxConfig
from sandbox.server import Sandbox
from videos.providers import http


@pytest.fixture(scope="session")
def running_sandbox() -> Iterator[Sandbox]:
    with Sandbox(SandboxConfig()) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running_sandbox: Sandbox, settings) -> Iterator[Sandbox]:
    """The stand-ins, empty and without faults, and the settings that lead to them."""
    running_sandbox.reset()
    settings.STRIPE_API_BASE = running_sandbox.stripe_url
    settings.VIDEO_PROVIDERS = {
        "vdocipher": {
            "BACKEND": "videos.providers.vdocipher.VdoCipherProvider",
            "OPTIONS": {
                "api_secret": "vdo_sandbox_11tutors",
                "api_url": running_sandbox.vdocipher_api_url,
                "player_url": running_sandbox.vdocipher_player_url,
                "webhook_secret": "hook-token-for-tests",
            },
        }
    }
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_PORT = running_sandbox.smtp_port
    return running_sandbox


@pytest.fixture(autouse=True)
def _fresh_cache() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


@pytest.fixture(autouse=True)
def _fresh_host_calls() -> Iterator[None]:
    yield
    http.reset()
