import dataclasses
import os

import pytest
import requests

from conftest import CLOUDFLARE_WEBHOOK_SECRET
from videos.providers.cloudflare import UPLOAD_MAX_BYTES, CloudflareStreamProvider
from videos.tests.providers.cloudflare.signing import signed
from videos.tests.providers.contract import ProviderContract
from videos.tests.providers.contract_uploads import make_upload


class CloudflareContract(ProviderContract):
    largest_bytes = UPLOAD_MAX_BYTES
    unknown_bodies = ({}, {"name": "live_input.connected"}, {"uid": "../x", "status": {"state": "ready"}})

    def make_hook(self, body, *, secret=None, at=None):
        return signed(body, secret=CLOUDFLARE_WEBHOOK_SECRET if secret is None else secret, at=at)

    @pytest.fixture
    def changed_body(self, ready_id):
        status = {"state": "ready", "pctComplete": "39.000000"}
        return {"uid": ready_id, "readyToStream": True, "status": status, "modified": "2026-01-18T10:00:00Z"}, ready_id

    @pytest.fixture
    def upload_providers(self, provider):
        return [provider, dataclasses.replace(provider, form_max_bytes=0)]

    def captions_of(self, provider, host_id):
        url = f"{provider.api_url}/accounts/{provider.account_id}/stream/{host_id}/captions"
        answer = requests.get(url, headers={"Authorization": f"Bearer {provider.api_token}"}, timeout=10)
        return sorted(caption["language"] for caption in answer.json()["result"])


class TestCloudflare(CloudflareContract):
    secrets = ("cf_sandbox_11tutors", CLOUDFLARE_WEBHOOK_SECRET)

    @pytest.fixture
    def deletable_id(self, ready_id):
        return ready_id

    @pytest.fixture
    def failed_id(self, sandbox):
        video = sandbox.cloudflare.add_video(state="error")
        sandbox.cloudflare.set_state(video, "error", error_code="ERR_NON_VIDEO", send_hook=False)
        return video

    @pytest.fixture
    def importable_url(self, sandbox):
        return sandbox.vdocipher_player_url + "sample.webm"


@pytest.mark.live
@pytest.mark.skipif("LIVE_CLOUDFLARE_API_TOKEN" not in os.environ, reason="LIVE_CLOUDFLARE_API_TOKEN is not set")
class TestRealCloudflare(CloudflareContract):
    """Against the real service: LIVE_CLOUDFLARE_{ACCOUNT_ID, API_TOKEN, SIGNING_KEY, CUSTOMER_CODE}, and
    LIVE_CLOUDFLARE_VIDEO_ID of a ready video."""

    @pytest.fixture
    def provider(self):
        names = ("account_id", "api_token", "signing_key", "customer_code")
        options = {name: os.environ[f"LIVE_CLOUDFLARE_{name.upper()}"] for name in names}
        return CloudflareStreamProvider(alias="live", webhook_secret=CLOUDFLARE_WEBHOOK_SECRET, **options)

    @pytest.fixture
    def ready_id(self):
        return os.environ["LIVE_CLOUDFLARE_VIDEO_ID"]

    @pytest.fixture
    def deletable_id(self, provider):
        return provider.create_upload(make_upload(size_bytes=1000)).host_id
