import gc
from collections.abc import Callable, Iterator

import pytest
from django.core.cache import cache

from eleven_tutors.tests.standing_rows import copy_standing_rows
from sandbox.config import SandboxConfig
from sandbox.server import Sandbox
from videos.providers import http

CLOUDFLARE_WEBHOOK_SECRET = "cloudflare-hook-secret-for-tests"


@pytest.fixture(scope="session")
def running_sandbox() -> Iterator[Sandbox]:
    with Sandbox(SandboxConfig(cloudflare_webhook_secret=CLOUDFLARE_WEBHOOK_SECRET)) as sandbox:
        yield sandbox


@pytest.fixture(scope="session")
def sandbox_settings(running_sandbox: Sandbox) -> Callable[[], dict[str, object]]:
    """Gives the settings that lead to the stand-ins, new ones at every call."""

    def build() -> dict[str, object]:
        return {
            "STRIPE_API_BASE": running_sandbox.stripe_url,
            "VIDEO_PROVIDERS": _video_providers(running_sandbox),
            "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
            "EMAIL_PORT": running_sandbox.smtp_port,
        }

    return build


def _video_providers(sandbox: Sandbox) -> dict[str, object]:
    return {
        "vdocipher": {
            "BACKEND": "videos.providers.vdocipher.VdoCipherProvider",
            "OPTIONS": {
                "api_secret": "vdo_sandbox_11tutors",
                "api_url": sandbox.vdocipher_api_url,
                "player_url": sandbox.vdocipher_player_url,
                "webhook_secret": "hook-token-for-tests",
            },
        },
        "cloudflare": {
            "BACKEND": "videos.providers.cloudflare.CloudflareStreamProvider",
            "OPTIONS": {
                "account_id": sandbox.cloudflare_account_id,
                "api_token": sandbox.config.cloudflare_api_token,
                "signing_key": sandbox.cloudflare_signing_key,
                "webhook_secret": CLOUDFLARE_WEBHOOK_SECRET,
                "api_url": sandbox.cloudflare_api_url,
                "playback_url": sandbox.cloudflare_playback_url,
                "player_script_url": sandbox.cloudflare_player_script_url,
            },
        },
    }


@pytest.fixture
def sandbox(running_sandbox: Sandbox, sandbox_settings: Callable[[], dict[str, object]], settings) -> Sandbox:
    """The stand-ins, empty and without faults, and the settings that lead to them."""
    running_sandbox.reset()
    for name, value in sandbox_settings().items():
        setattr(settings, name, value)
    return running_sandbox


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker) -> None:
    """pytest-django's database, whose standing rows come back from a copy after a test that commits."""
    with django_db_blocker.unblock():
        copy_standing_rows()


@pytest.fixture(autouse=True)
def _fresh_cache() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


@pytest.fixture(autouse=True)
def _fresh_host_calls() -> Iterator[None]:
    yield
    http.reset()


def pytest_configure() -> None:
    """Look for garbage seldom: all that is imported for tests is looked through each time, for a second or so."""
    gc.set_threshold(100_000, 50, 50)


def pytest_collection_finish() -> None:
    gc.collect()
    gc.freeze()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test that touches no database says nothing about which one it is, so the run on PostgreSQL leaves it out."""
    touching = {"db", "transactional_db", "live_server"}
    for item in items:
        if not (item.get_closest_marker("django_db") or touching.intersection(getattr(item, "fixturenames", ()))):
            item.add_marker("one_database")
