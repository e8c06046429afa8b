from collections.abc import Iterator

import pytest
from django.core.cache import cache

from sandbox.config import SandboxConfig
from sandbox.server import Sandbox
from videos.providers import http

CLOUDFLARE_WEBHOOK_SECRET = "cloudflare-hook-secret-for-tests"


@pytest.fixture(scope="session")
def running_sandbox() -> Iterator[Sandbox]:
    with Sandbox(SandboxConfig(cloudflare_webhook_secret=CLOUDFLARE_WEBHOOK_SECRET)) as sandbox:
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
        },
        "cloudflare": {
            "BACKEND": "videos.providers.cloudflare.CloudflareStreamProvider",
            "OPTIONS": {
                "account_id": running_sandbox.cloudflare_account_id,
                "api_token": running_sandbox.config.cloudflare_api_token,
                "signing_key": running_sandbox.cloudflare_signing_key,
                "webhook_secret": CLOUDFLARE_WEBHOOK_SECRET,
                "api_url": running_sandbox.cloudflare_api_url,
                "playback_url": running_sandbox.cloudflare_playback_url,
                "player_script_url": running_sandbox.cloudflare_player_script_url,
            },
        },
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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test that touches no database says nothing about which one it is, so the run on PostgreSQL leaves it out."""
    touching = {"db", "transactional_db", "live_server"}
    for item in items:
        if not (item.get_closest_marker("django_db") or touching.intersection(getattr(item, "fixturenames", ()))):
            item.add_marker("one_database")
