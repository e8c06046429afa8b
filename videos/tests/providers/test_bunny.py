import base64
import hashlib
import hmac
import json
import logging
import os
import time
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from videos.models import Asset, AssetStatus
from videos.providers import failures
from videos.providers.bunny import BunnyStreamProvider
from videos.providers.exceptions import AssetNotFound, CredentialsRejected, MalformedResponse, WebhookRejected
from videos.providers.registry import providers
from videos.providers.types import Status, UploadRequest, WebhookKind
from videos.tests.factories import make_video
from videos.tests.providers.contract import ProviderContract, make_request
from videos.tests.providers.contract_webhooks import Hook

VIDEO = "657bb740-a71b-4529-a012-528021c31a92"
KEY = "read-only-key-of-the-bunny-sandbox"
WEBM = b"\x1a\x45\xdf\xa3" + b"webm" * 100


def make_hook(**overrides):
    return {"VideoLibraryId": 133, "VideoGuid": VIDEO, "Status": 3} | overrides


def signed(body, key):
    return {"X-BunnyStream-Signature": hmac.new(key.encode(), body, hashlib.sha256).hexdigest()}


def options(sandbox):
    config = sandbox.config
    return {
        "library_id": config.bunny_library_id,
        "api_key": config.bunny_api_key,
        "token_key": config.bunny_token_key,
        "webhook_key": config.bunny_read_only_key,
        "api_url": sandbox.bunny_url,
        "player_url": sandbox.bunny_player_url,
        "player_script_url": sandbox.bunny_player_script_url,
    }


@pytest.fixture
def configured(sandbox, settings):
    """The provider, with other options where a test names them."""

    def build(**overrides):
        settings.VIDEO_PROVIDERS["bunny"] = {
            "BACKEND": "videos.providers.bunny.BunnyStreamProvider",
            "OPTIONS": options(sandbox) | overrides,
        }
        return providers["bunny"]

    return build


@pytest.fixture
def provider(configured):
    return configured()


@pytest.fixture
def ready_id(sandbox):
    return sandbox.bunny.add_video(title="Lesson")


class TestBunny(ProviderContract):
    secrets = (
        "bunny_sandbox_11tutors",
        "token-key-of-the-bunny-sandbox",
        "read-only-key-of-the-bunny-sandbox",
    )

    secret_option = "webhook_key"
    signs_time = False
    unknown_bodies = ({}, make_hook(Status=11), make_hook(VideoLibraryId=134), make_hook(VideoGuid=None))

    @pytest.fixture
    def deletable_id(self, ready_id):
        return ready_id

    @pytest.fixture
    def failed_id(self, sandbox):
        return sandbox.bunny.add_video(status=5)

    @pytest.fixture
    def changed_body(self, ready_id):
        return make_hook(VideoGuid=ready_id), ready_id

    def make_hook(self, body, *, secret=None, at=None):
        key = KEY if secret is None else secret
        return Hook(body=body, headers=signed(body, key))


@pytest.mark.live
@pytest.mark.skipif("LIVE_BUNNY_STREAM_API_KEY" not in os.environ, reason="LIVE_BUNNY_STREAM_API_KEY is not set")
class TestRealBunny(ProviderContract):
    """Against the real service: LIVE_BUNNY_LIBRARY_ID, _STREAM_API_KEY, _TOKEN_KEY and _VIDEO_ID, a ready video."""

    @pytest.fixture
    def provider(self):
        return BunnyStreamProvider(
            alias="live",
            library_id=os.environ["LIVE_BUNNY_LIBRARY_ID"],
            api_key=os.environ["LIVE_BUNNY_STREAM_API_KEY"],
            token_key=os.environ["LIVE_BUNNY_TOKEN_KEY"],
        )

    @pytest.fixture
    def ready_id(self):
        return os.environ["LIVE_BUNNY_VIDEO_ID"]

    @pytest.fixture
    def deletable_id(self, provider):
        return provider.create_upload(UploadRequest(title="Contract test", filename="none.mp4")).host_id


# --- Assets ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "status", "code"),
    [
        (0, Status.WAITING, ""),
        (1, Status.PROCESSING, ""),
        (2, Status.PROCESSING, ""),
        (3, Status.PROCESSING, ""),
        (4, Status.READY, ""),
        (5, Status.FAILED, failures.UNREADABLE),
        (6, Status.FAILED, failures.NEVER_UPLOADED),
        (8, Status.PROCESSING, ""),
        (-1, Status.PROCESSING, ""),
    ],
)
def test_the_api_s_numbers_become_our_words(provider, sandbox, number, status, code):
    guid = sandbox.bunny.add_video(status=0)
    sandbox.bunny.set_status(guid, number)
    info = provider.get_asset(guid)
    assert (info.status, info.host_status, info.failure_code) == (status, str(number), code)


def test_an_unknown_number_is_logged(provider, sandbox, caplog):
    guid = sandbox.bunny.add_video(status=0)
    sandbox.bunny.set_status(guid, 99)
    with caplog.at_level(logging.WARNING, "videos"):
        provider.get_asset(guid)
    assert "unknown status 99" in caplog.text


@pytest.mark.parametrize(("percent", "status"), [(99, Status.PROCESSING), (100, Status.READY)])
def test_a_video_with_nothing_left_to_encode_is_ready_whichever_list_its_number_is_from(
    provider, sandbox, percent, status
):
    guid = sandbox.bunny.add_video(status=0)
    sandbox.bunny.set_status(guid, 3, percent=percent)
    info = provider.get_asset(guid)
    assert (info.status, info.progress_percent) == (status, percent)


def test_length_and_size_of_nothing_are_unknown(provider, sandbox):
    info = provider.get_asset(sandbox.bunny.add_video(status=0))
    assert (info.duration_s, info.size_bytes) == (None, None)


@pytest.mark.parametrize("body", ['{"guid": "x"}', '{"status": "4"}', '{"status": true}', "[4]", "null"])
def test_an_asset_without_a_status_is_malformed(provider, sandbox, ready_id, body):
    sandbox.fault(service="bunny", path="/bunny/library/", status=200, body=body)
    with pytest.raises(MalformedResponse):
        provider.get_asset(ready_id)


@pytest.mark.parametrize("host_id", ["", "..", "a/b", "0" * 36, VIDEO.upper(), VIDEO + "\n", f"{VIDEO}/x"])
def test_an_id_that_is_no_id_is_not_even_asked_for(provider, sandbox, host_id):
    with pytest.raises(AssetNotFound):
        provider.get_asset(host_id)
    with pytest.raises(AssetNotFound):
        provider.get_playback(make_request(host_id))
    provider.delete(host_id)
    assert sandbox.calls("bunny") == []


def test_a_wrong_key_is_told_from_a_dead_host(configured, ready_id):
    provider = configured(api_key="bunny_sandbox_of_somebody_else")
    with pytest.raises(CredentialsRejected):
        provider.get_asset(ready_id)
    assert provider.ping().error_code == "host_credentials_rejected"


def test_renaming_changes_the_title(provider, ready_id):
    provider.rename(ready_id, "Another title")
    assert provider.get_asset(ready_id).title == "Another title"


# --- Playback -------------------------------------------------------------------------------------------------------


def test_the_embed_token_is_the_known_one(configured, monkeypatch):
    monkeypatch.setattr(time, "time", lambda: 1_700_000_000 - 300)
    provider = configured(token_key="token-security-key", player_url="https://iframe.mediadelivery.net/embed")
    playback = provider.get_playback(make_request(VIDEO, ttl_s=300))
    token = "345aabb135687fb83f4e452d0ef2f1ff00221b8fbb66e43d276af33e3196196c"
    assert playback.url == f"https://iframe.mediadelivery.net/embed/133/{VIDEO}?token={token}&expires=1700000000"
    assert playback.expires_at == datetime.fromtimestamp(1_700_000_000, UTC)
    assert (playback.api, playback.is_renewable) == ("playerjs", False)


def test_the_token_opens_the_player_of_its_video_alone(provider, sandbox, ready_id):
    url = provider.get_playback(make_request(ready_id)).url
    other = sandbox.bunny.add_video()
    assert requests.get(url, timeout=5).status_code == 200
    assert requests.get(url.replace(ready_id, other), timeout=5).status_code == 403
    assert requests.get(url.partition("?")[0], timeout=5).status_code == 403


@pytest.mark.parametrize(("duration_s", "lifetime_s"), [(None, 300), (60, 690), (3600, 6000), (200_000, 24 * 3600)])
def test_a_token_that_cannot_be_renewed_outlives_the_video(provider, ready_id, duration_s, lifetime_s):
    before = int(time.time())
    playback = provider.get_playback(make_request(ready_id, ttl_s=300, duration_s=duration_s))
    expires = int(parse_qs(urlsplit(playback.url).query)["expires"][0])
    assert 0 <= expires - before - lifetime_s <= 2
    assert playback.expires_at.timestamp() == expires


# --- Uploads --------------------------------------------------------------------------------------------------------


def test_the_tus_signature_is_the_known_one(configured, sandbox, monkeypatch):
    sandbox.fault(service="bunny", path="/bunny/library/", status=200, body=json.dumps({"guid": VIDEO}))
    monkeypatch.setattr(time, "time", lambda: 1_700_000_000 - 24 * 3600)
    ticket = configured(api_key="library-api-key").create_upload(UploadRequest(title="Zoo", filename="zoo.mp4"))
    assert ticket.headers == {
        "AuthorizationSignature": "e5db9a22754f00eced2b419b6d93111b70f94bbbd0815f07119c932e49d2653d",
        "AuthorizationExpire": "1700000000",
        "LibraryId": "133",
        "VideoId": VIDEO,
    }
    assert ticket.endpoint == f"{sandbox.bunny_url}/tusupload"


def upload(ticket, content, *, chunk_bytes=150):
    """What a browser does with a ticket: create the upload, then send the file in pieces."""
    pairs = ",".join(f"{name} {base64.b64encode(text.encode()).decode()}" for name, text in ticket.metadata.items())
    headers = {**ticket.headers, "Tus-Resumable": "1.0.0"}
    created = requests.post(
        ticket.endpoint, headers={**headers, "Upload-Length": str(len(content)), "Upload-Metadata": pairs}, timeout=5
    )
    assert created.status_code == 201, created.text
    for offset in range(0, len(content), chunk_bytes):
        piece = {**headers, "Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream"}
        answer = requests.patch(
            created.headers["Location"], data=content[offset : offset + chunk_bytes], headers=piece, timeout=5
        )
        assert answer.status_code == 204, answer.text


def test_a_ticket_takes_a_file_in_pieces(provider, sandbox):
    ticket = provider.create_upload(UploadRequest(title="Zoo & ötters", filename="zoo.webm", size_bytes=len(WEBM)))
    upload(ticket, WEBM)
    info = provider.get_asset(ticket.host_id)
    assert (info.status, info.title, info.size_bytes) == (Status.PROCESSING, "Zoo & ötters", len(WEBM))


@pytest.mark.parametrize(
    ("filename", "content_type", "filetype"),
    [("a.webm", "", "video/webm"), ("a.mp4", "video/x-own", "video/x-own"), ("a", "", "video/mp4")],
)
def test_the_host_is_always_told_a_type_and_a_title(provider, filename, content_type, filetype):
    ticket = provider.create_upload(UploadRequest(title="", filename=filename, content_type=content_type))
    assert ticket.metadata == {"filetype": filetype, "title": filename}


def test_the_keys_are_not_in_the_ticket(provider):
    ticket = provider.create_upload(UploadRequest(title="Zoo", filename="zoo.mp4"))
    assert not any(secret in json.dumps(ticket.as_json()) for secret in TestBunny.secrets)
    assert ticket.headers["AuthorizationSignature"] not in repr(ticket)


@pytest.mark.parametrize("body", ["{}", '{"guid": 7}', '{"guid": "../x"}', "[]"])
def test_a_new_video_without_an_id_is_malformed(provider, sandbox, body):
    sandbox.fault(service="bunny", path="/bunny/library/", status=200, body=body)
    with pytest.raises(MalformedResponse):
        provider.create_upload(UploadRequest(title="Zoo", filename="zoo.mp4"))


# --- Webhook --------------------------------------------------------------------------------------------------------

KNOWN_BODY = f'{{"VideoLibraryId":133,"VideoGuid":"{VIDEO}","Status":3}}'.encode()
KNOWN_SIGNATURE = "95ba721a9a8ee56efa4ce19d45dba902747c0effc76c76a6d3d316f1f332cfd8"


def parse(provider, body, headers):
    return provider.parse_webhook(headers=headers, query={}, body=body)


def test_the_known_signature_is_taken(configured):
    provider = configured(webhook_key="read-only-key")
    [event] = parse(provider, KNOWN_BODY, {"X-BunnyStream-Signature": KNOWN_SIGNATURE})
    assert (event.kind, event.host_id, event.host_kind) == (WebhookKind.ASSET_CHANGED, VIDEO, "3")


@pytest.mark.parametrize("position", range(0, len(KNOWN_BODY), 7))
def test_one_byte_changed_is_refused(configured, position):
    body = bytearray(KNOWN_BODY)
    body[position] ^= 1
    with pytest.raises(WebhookRejected) as caught:
        parse(configured(webhook_key="read-only-key"), bytes(body), {"X-BunnyStream-Signature": KNOWN_SIGNATURE})
    assert caught.value.code == "invalid_signature"


@pytest.mark.parametrize("signature", ["", "x", KNOWN_SIGNATURE.upper(), KNOWN_SIGNATURE[:-1], "ä", "\ud800"])
def test_another_signature_is_refused(configured, signature):
    with pytest.raises(WebhookRejected):
        parse(configured(webhook_key="read-only-key"), KNOWN_BODY, {"X-BunnyStream-Signature": signature})


def heard(provider, **overrides):
    body = json.dumps(make_hook(**overrides)).encode()
    [event] = parse(provider, body, signed(body, KEY))
    return event


@pytest.mark.parametrize("number", range(11))
def test_what_the_host_does_by_itself_is_unknown_and_the_rest_is_about_the_video(provider, number):
    event = heard(provider, Status=number)
    assert event.kind == (WebhookKind.ASSET_CHANGED if number < 9 else WebhookKind.UNKNOWN)


@pytest.mark.parametrize(
    "overrides",
    [{"Status": "3"}, {"Status": True}, {"Status": [3]}, {"VideoGuid": "../x"}, {"VideoLibraryId": None}],
)
def test_a_hook_of_another_shape_is_unknown(provider, overrides):
    assert heard(provider, **overrides).kind is WebhookKind.UNKNOWN


@pytest.mark.django_db(transaction=True)
def test_a_playable_video_stays_ready_whatever_hooks_follow(provider, sandbox, live_server):
    guid = sandbox.bunny.add_video(status=0)
    video = make_video(asset={"provider": "bunny", "host_id": guid, "status": AssetStatus.WAITING})
    sandbox.context.webhooks.bunny_url = f"{live_server.url}/api/videos/webhooks/bunny/"
    seen = []
    for status, hook in [(1, 7), (4, 4), (3, 3), (4, 3), (2, 1)]:
        sandbox.bunny.set_status(guid, status, send_hook=hook)
        assert sandbox.context.deliveries.drain(10)
        seen.append(Asset.objects.get(video=video).status)
    assert seen == ["processing", "ready", "ready", "ready", "ready"]
    assert [entry["outcome"] for entry in sandbox.context.deliveries.log()] == [200] * 5


# --- Options --------------------------------------------------------------------------------------------------------


def test_the_stand_in_s_settings_are_in_order(provider):
    assert provider.check() == []


@pytest.mark.parametrize(
    ("overrides", "wanted"),
    [
        ({"webhook_key": ""}, "videos.W001"),
        ({"api_url": "http://video.bunnycdn.com"}, "videos.E002"),
        ({"api_url": "https://video.bunnycdn.com"}, "videos.E003"),
        ({"api_key": "a-real-key"}, "videos.E003"),
        ({"player_url": "http://iframe.example.com"}, "videos.E002"),
    ],
)
def test_options_that_cannot_be_meant_are_named(configured, overrides, wanted):
    assert wanted in {message.id for message in configured(**overrides).check()}


def test_pages_may_load_the_player_and_its_script(sandbox):
    real = BunnyStreamProvider(alias="b", library_id="1", api_key="k", token_key="t")
    assert real.player_origins == ("https://iframe.mediadelivery.net", "https://assets.mediadelivery.net")
