"""What wraps content keys, by the environment."""

import base64
import os
import runpy

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from videos.hosted.hosts import HostParts
from videos.hosted.key_stores.kms import KmsKeyStore
from videos.hosted.key_stores.local import LocalKeyStore

LOCAL = {"VIDEO_CONTENT_KEYS": "2026-11=" + base64.b64encode(bytes(32)).decode()}
KMS = {"AWS_KMS_KEY_ID": "alias/videos", "AWS_REGION": "eu-west-1"}
PRODUCTION = {"DEBUG": "0", "SECRET_KEY": "s" * 50, "ALLOWED_HOSTS": "school.example"}


@pytest.fixture
def read(monkeypatch, tmp_path):
    """`read(NAME="value")`: our host in such an environment; None without one."""

    def run(**environment: str):
        kept = {"PATH": os.environ["PATH"], "READ_DOTENV": "0", "DEBUG": "1", "VAR_DIR": str(tmp_path)}
        monkeypatch.setattr(os, "environ", kept | environment)
        found = runpy.run_path(str(settings.BASE_DIR / "eleven_tutors" / "settings.py"))["VIDEO_PROVIDERS"]
        return HostParts(**found["hosted"]["OPTIONS"]) if "hosted" in found else None

    return run


@pytest.mark.parametrize(
    ("environment", "kind", "former"),
    [
        ({}, LocalKeyStore, []),
        (LOCAL, LocalKeyStore, []),
        (KMS, KmsKeyStore, []),
        (LOCAL | KMS, KmsKeyStore, [LocalKeyStore]),
        (LOCAL | KMS | {"VIDEO_KEY_STORE": "local"}, LocalKeyStore, [KmsKeyStore]),
    ],
    ids=["nothing", "local", "kms", "moved to kms", "moved back"],
)
def test_the_key_store_follows_from_what_is_set(environment, kind, former, read):
    parts = read(**environment)
    assert isinstance(parts.get_key_store(), kind)
    assert [type(store) for store in parts.get_former_key_stores()] == former
    assert not parts.get_key_store().problems()


def test_base64_keeps_the_equals_signs_at_its_end(read):
    parts = read(**LOCAL, LICENSE_DURATION="600")
    assert parts.get_key_store().keys == {"2026-11": base64.b64encode(bytes(32)).decode()}
    assert parts.licence_s == 600


def test_in_production_nothing_follows_from_the_secret_key(read):
    assert read(**PRODUCTION) is None
    assert read(**PRODUCTION, **KMS) is not None


@pytest.mark.parametrize(
    ("environment", "named"),
    [
        ({"VIDEO_KEY_STORE": "vault"}, "local or kms"),
        ({"VIDEO_KEY_STORE": "kms"}, "AWS_KMS_KEY_ID, AWS_REGION must be set"),
        ({"AWS_KMS_KEY_ID": "alias/videos"}, "AWS_REGION must be set"),
    ],
)
def test_half_a_setting_names_the_other_half(environment, named, read):
    with pytest.raises(ImproperlyConfigured, match=named):
        read(**environment)
