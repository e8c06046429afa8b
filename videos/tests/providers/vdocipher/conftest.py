import pytest

from videos.providers.registry import providers


@pytest.fixture
def provider(sandbox):
    return providers["vdocipher"]


@pytest.fixture
def ready_id(sandbox):
    return sandbox.add_video(title="Lesson", status="ready", length=48)


@pytest.fixture
def configured(sandbox, settings):
    """The provider with some more options."""

    def build(**options):
        settings.VIDEO_PROVIDERS["vdocipher"]["OPTIONS"] |= options
        return providers["vdocipher"]

    return build
