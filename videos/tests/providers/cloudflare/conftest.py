import json

import pytest

from videos.providers.registry import providers


@pytest.fixture
def provider(sandbox):
    return providers["cloudflare"]


@pytest.fixture
def ready_id(sandbox):
    return sandbox.cloudflare.add_video(title="Lesson", duration=48)


@pytest.fixture
def configured(sandbox, settings):
    """The provider with some more options."""

    def build(**options):
        settings.VIDEO_PROVIDERS["cloudflare"]["OPTIONS"] |= options
        return providers["cloudflare"]

    return build


@pytest.fixture
def answer(sandbox):
    """Let the host answer every call with this body."""

    def set_answer(body, status=200):
        sandbox.fault(service="cloudflare", path=".*", status=status, body=json.dumps(body), times=0)

    return set_answer
