import base64
import dataclasses
import json
import traceback

import pytest
import requests

from videos.providers import signatures
from videos.providers.exceptions import (
    ProviderMisconfigured,
)
from videos.providers.types import Protection
from videos.tests.providers.contract import address_of, make_request


def encode(text):
    return base64.b64encode(text if isinstance(text, bytes) else text.encode()).decode()


@pytest.fixture
def new_key(provider):
    """What the host gives for a new key: id, pem and jwk, both in base64."""
    url = f"{provider.api_url}/accounts/{provider.account_id}/stream/keys"
    return requests.post(url, headers={"Authorization": f"Bearer {provider.api_token}"}, timeout=5).json()["result"]


def test_both_forms_of_a_key_sign_what_the_host_believes(configured, new_key, ready_id):
    for options in ({"signing_key": new_key["jwk"]}, {"signing_key": new_key["pem"], "signing_key_id": new_key["id"]}):
        provider = configured(**options)
        assert provider.check() == []
        assert requests.get(address_of(provider.get_playback(make_request(ready_id))), timeout=5).status_code == 200


def test_a_key_is_read_once(provider):
    first = signatures.signing_key(provider.signing_key)
    assert signatures.signing_key(provider.signing_key) is first
    assert "RSAPrivateKey" not in repr(first)


@pytest.mark.parametrize(
    ("key", "complaint"),
    [
        ("not base64!", "not base64"),
        (encode("{}"), "not an RSA key as JWK"),
        (encode('{"kty": "RSA", "d": "s3cret"'), "not an RSA key as JWK"),
        (encode('{"kty": "RSA", "n": 5, "e": "AQAB", "d": "x"}'), "not an RSA key as JWK"),
        (encode('{"kty": "oct", "k": "c2VjcmV0"}'), "not an RSA key as JWK"),
        (encode(b"\xff\xfe"), "neither a JWK nor a PEM"),
        (encode("-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n"), "neither a JWK nor a PEM"),
        ("", "neither a JWK nor a PEM"),
    ],
)
def test_a_key_that_cannot_be_read_is_told_at_the_check(provider, ready_id, key, complaint):
    broken = dataclasses.replace(provider, signing_key=key)
    [message] = broken.check()
    assert (message.id, complaint in message.msg) == ("videos.E006", True)
    assert not key or key not in message.msg
    with pytest.raises(ProviderMisconfigured) as caught:
        broken.get_playback(make_request(ready_id))
    told = "".join(traceback.format_exception(caught.value))
    assert "s3cret" not in told


def test_a_public_key_signs_nothing(provider, new_key):
    members = json.loads(base64.b64decode(new_key["jwk"]))
    public = {name: members[name] for name in ("kty", "n", "e", "kid")}
    [message] = dataclasses.replace(provider, signing_key=encode(json.dumps(public))).check()
    assert "public key" in message.msg


def test_a_pem_needs_the_id_beside_it(provider, new_key):
    [message] = dataclasses.replace(provider, signing_key=new_key["pem"]).check()
    assert "the id of the key must be set" in message.msg


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ({}, []),
        ({"webhook_secret": ""}, ["videos.W001"]),
        ({"playback_url": ""}, ["videos.E005"]),
        ({"playback_url": "", "customer_code": "f33zs165nr7gyfy4"}, []),
        ({"api_url": "http://api.example.com"}, ["videos.E002", "videos.E003"]),
        ({"api_url": "https://api.cloudflare.com/client/v4"}, ["videos.E003"]),
        ({"api_token": "real"}, ["videos.E003"]),
        ({"playback_url": "http://example.com"}, ["videos.E002"]),
        ({"player_script_url": "http://example.com/sdk.js"}, ["videos.E002"]),
    ],
)
def test_options_are_checked_without_network(provider, sandbox, options, found):
    assert [message.id for message in dataclasses.replace(provider, **options).check()] == found
    assert sandbox.calls("cloudflare") == []


def test_it_protects_by_tokens_alone(provider):
    assert provider.protections == (Protection.OPEN,)
