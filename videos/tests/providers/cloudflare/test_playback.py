import base64
import json
import logging
from ipaddress import ip_network

import jwt
import pytest
import requests
from django.utils import timezone
from jwt.algorithms import RSAAlgorithm

from videos.tests.providers.contract import address_of, make_request

DAY_S = 24 * 3600


def claims_of(address, provider):
    """The verified claims of the token in an address, and its header."""
    token = next(part for part in address.split("/") if part.count(".") == 2 and part.startswith("ey"))
    key = RSAAlgorithm.from_jwk(json.loads(base64.b64decode(provider.signing_key)))
    claims = jwt.decode(token, key.public_key(), algorithms=["RS256"], options={"verify_exp": False})
    return claims, jwt.get_unverified_header(token)


def test_a_token_opens_its_own_video_alone(provider, sandbox, ready_id):
    address = address_of(provider.get_playback(make_request(ready_id)))
    claims, header = claims_of(address, provider)
    key_id = json.loads(base64.b64decode(provider.signing_key))["kid"]
    assert (claims["sub"], claims["kid"], header["kid"], header["alg"]) == (ready_id, key_id, key_id, "RS256")
    assert set(claims) == {"sub", "kid", "exp"}
    assert requests.get(address, timeout=5).status_code == 200
    unsigned = f"{provider.playback_url}/{sandbox.cloudflare.add_video()}/iframe"
    assert requests.get(unsigned, timeout=5).status_code in (401, 403)


@pytest.mark.parametrize(
    ("ttl_s", "duration_s", "lifetime_s"),
    [
        (300, None, 300),
        (300, 48.0, 672),
        (300, 3600.0, 6000),
        (7200, 60.0, 7200),
        (300, 20 * 3600.0, DAY_S - 60),
        (10 * DAY_S, None, DAY_S - 60),
    ],
)
def test_a_token_lasts_for_one_viewing_and_a_day_at_most(provider, ready_id, ttl_s, duration_s, lifetime_s):
    playback = provider.get_playback(make_request(ready_id, ttl_s=ttl_s, duration_s=duration_s))
    ends_in_s = (playback.expires_at - timezone.now()).total_seconds()
    assert lifetime_s - 10 < ends_in_s <= lifetime_s
    claims, _ = claims_of(playback.url, provider)
    assert claims["exp"] == playback.expires_at.timestamp()
    assert not playback.is_renewable


@pytest.mark.parametrize(
    ("ip", "network"),
    [("203.0.113.7", "203.0.113.7/32"), ("::ffff:203.0.113.7", "203.0.113.7/32"), ("2001:db8::1", "2001:db8::1/128")],
)
def test_a_pinned_token_plays_from_one_address(configured, ready_id, ip, network):
    provider = configured(pin_ip=True)
    claims, _ = claims_of(provider.get_playback(make_request(ready_id, ip=ip)).url, provider)
    assert claims["accessRules"] == [
        {"type": "ip.src", "action": "allow", "ip": [str(ip_network(network))]},
        {"type": "any", "action": "block"},
    ]


def test_a_pinned_token_is_refused_elsewhere(configured, ready_id):
    provider = configured(pin_ip=True)
    for ip, status in (("127.0.0.1", 200), ("203.0.113.7", 403)):
        address = address_of(provider.get_playback(make_request(ready_id, ip=ip)))
        assert requests.get(address, timeout=5).status_code == status


@pytest.mark.parametrize("ip", ["", "unknown"])
def test_a_viewer_without_an_address_is_not_pinned(configured, ready_id, ip, caplog):
    caplog.set_level(logging.INFO, "videos")
    provider = configured(pin_ip=True)
    claims, _ = claims_of(provider.get_playback(make_request(ready_id, ip=ip)).url, provider)
    assert "accessRules" not in claims
    assert "session-1 is not pinned" in caplog.text


def test_the_player_can_be_steered_by_the_host_s_script(provider, sandbox, ready_id):
    member = provider.get_playback(make_request(ready_id)).as_json()
    assert (member["api"], member["api_url"]) == ("cloudflare-stream", sandbox.cloudflare_player_script_url)
    assert "encrypted-media" in member["allow"]


def test_the_customer_s_code_makes_the_address(configured, ready_id):
    provider = configured(playback_url="", customer_code="f33zs165nr7gyfy4")
    assert provider.get_playback(make_request(ready_id)).url.startswith(
        "https://customer-f33zs165nr7gyfy4.cloudflarestream.com/ey"
    )
    assert "https://customer-f33zs165nr7gyfy4.cloudflarestream.com" in provider.player_origins


def test_a_picture_s_address_has_second_size_and_a_token(provider, ready_id):
    address = provider.thumbnail_url(ready_id, second=68.9, width=320, height=180, ttl_s=600)
    assert address.endswith("/thumbnails/thumbnail.jpg?time=68s&width=320&height=180")
    claims, _ = claims_of(address, provider)
    assert 0 < claims["exp"] - timezone.now().timestamp() <= 600
    assert (claims["sub"], ready_id in address.split("/")) == (ready_id, False)
