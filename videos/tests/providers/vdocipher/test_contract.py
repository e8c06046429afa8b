import os

import pytest
import requests

from videos.providers.types import UploadRequest
from videos.providers.vdocipher import UPLOAD_MAX_BYTES, VdoCipherProvider
from videos.tests.providers.contract import ProviderContract
from videos.tests.providers.contract_webhooks import Hook

HOOK_TOKEN = "hook-token-for-tests"


def ready_hook(**overrides):
    payload = {"id": "8cf4129200a4", "title": "x.mp4", "tags": None, "length": 60, "status": "ready"}
    return {"hookId": "5d56a5234f99", "event": "video:ready", "time": 1538330269833, "payload": payload} | overrides


def captions_of(provider, host_id):
    """The languages of the captions that the host has, once per file."""
    answer = requests.get(
        f"{provider.api_url}/videos/{host_id}/files/",
        headers={"Authorization": f"Apisecret {provider.api_secret}"},
        timeout=10,
    )
    return sorted(file["lang"] for file in answer.json() if file["format"] == "vtt")


class VdoCipherContract(ProviderContract):
    largest_bytes = UPLOAD_MAX_BYTES
    signs_body = False
    signs_time = False

    def make_hook(self, body, *, secret=None, at=None):
        return Hook(body=body, query={"token": HOOK_TOKEN if secret is None else secret})

    @pytest.fixture
    def changed_body(self, ready_id):
        return ready_hook(payload={"id": ready_id, "title": "x.mp4"}), ready_id

    def captions_of(self, provider, host_id):
        return captions_of(provider, host_id)


class TestVdoCipher(VdoCipherContract):
    secrets = ("vdo_sandbox_11tutors", HOOK_TOKEN)

    @pytest.fixture
    def deletable_id(self, ready_id):
        return ready_id

    @pytest.fixture
    def failed_id(self, sandbox):
        return sandbox.add_video(status="Encoding error")


@pytest.mark.live
@pytest.mark.skipif("LIVE_VDOCIPHER_API_SECRET" not in os.environ, reason="LIVE_VDOCIPHER_API_SECRET is not set")
class TestRealVdoCipher(VdoCipherContract):
    """Against the real service: LIVE_VDOCIPHER_API_SECRET, and LIVE_VDOCIPHER_VIDEO_ID of a ready video."""

    @pytest.fixture
    def provider(self):
        secret = os.environ["LIVE_VDOCIPHER_API_SECRET"]
        return VdoCipherProvider(alias="live", api_secret=secret, webhook_secret=HOOK_TOKEN)

    @pytest.fixture
    def ready_id(self):
        return os.environ["LIVE_VDOCIPHER_VIDEO_ID"]

    @pytest.fixture
    def deletable_id(self, provider):
        return provider.create_upload(UploadRequest(title="Contract test", filename="none.mp4")).host_id
