import base64

import pytest

from videos.hosted.hosts import host

KEK = base64.b64encode(bytes(range(32))).decode()


def hosted_entry(root, **options):
    """An entry of VIDEO_PROVIDERS: our own host in a folder."""
    parts = {
        "store": {"BACKEND": "videos.hosted.stores.local.LocalStore", "OPTIONS": {"root": str(root / "store")}},
        "key_store": {"BACKEND": "videos.hosted.key_stores.local.LocalKeyStore", "OPTIONS": {"keys": {"kek-1": KEK}}},
        "work_dir": str(root / "work"),
    }
    return {"BACKEND": "videos.hosted.provider.HostedProvider", "OPTIONS": parts | options}


@pytest.fixture
def hosted(settings, tmp_path):
    """The alias `hosted`, on a folder of its own and with nothing configured but what it must; gives its parts."""
    settings.VIDEO_PROVIDERS = {"hosted": hosted_entry(tmp_path)}
    settings.VIDEO_ROUTES = [{"use": ["hosted"]}]
    return host("hosted")
