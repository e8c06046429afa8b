import pytest

from videos.providers.registry import providers
from videos.tests.local_host import BACKEND
from videos.tests.providers.contract import ProviderContract


class TestLocalHost(ProviderContract):
    """The contract, kept by a host without a remote call."""

    is_served = False

    @pytest.fixture
    def provider(self, settings):
        settings.VIDEO_PROVIDERS = {"local": {"BACKEND": BACKEND}}
        return providers["local"]

    @pytest.fixture
    def ready_id(self):
        return "film"

    @pytest.fixture
    def deletable_id(self, ready_id):
        return ready_id
