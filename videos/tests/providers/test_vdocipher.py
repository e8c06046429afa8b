import base64
import json
import logging
import os
from datetime import date, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from django.utils import timezone

from videos.providers.exceptions import AssetNotFound, MalformedResponse, Rejected, WebhookRejected
from videos.providers.registry import providers
from videos.providers.types import HostUsage, Protection, Status, UploadRequest, WebhookKind
from videos.providers.vdocipher import UPLOAD_MAX_BYTES, VdoCipherProvider
from videos.tests.providers.contract import ProviderContract, make_request, make_viewer
from videos.tests.providers.contract_extras import make_caption
from videos.tests.providers.contract_webhooks import Hook

HOOK_TOKEN = "hook-token-for-tests"


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


def otp_body(sandbox):
    """What the host was last asked for an OTP."""
    call = [call for call in sandbox.calls("vdocipher") if call["path"].endswith("/otp")][-1]
    return json.loads(call["body"])


class VdoCipherContract(ProviderContract):
    largest_bytes = UPLOAD_MAX_BYTES
    signs_body = False
    signs_time = False

    def make_hook(self, body, *, secret=None, at=None):
        return Hook(body=body, query={"token": HOOK_TOKEN if secret is None else secret})

    @pytest.fixture
    def changed_body(self, ready_id):
        return make_hook(payload={"id": ready_id, "title": "x.mp4"}), ready_id

    def captions_of(self, provider, host_id):
        answer = requests.get(
            f"{provider.api_url}/videos/{host_id}/files/",
            headers={"Authorization": f"Apisecret {provider.api_secret}"},
            timeout=10,
        )
        return sorted(file["lang"] for file in answer.json() if file["format"] == "vtt")


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


# --- Assets ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("PRE-Upload", Status.WAITING),
        ("Pre-Upload", Status.WAITING),
        ("pre-upload", Status.WAITING),
        ("Queued", Status.PROCESSING),
        ("queued", Status.PROCESSING),
        ("Processing", Status.PROCESSING),
        ("ready", Status.READY),
        ("READY", Status.READY),
        ("Encoding error", Status.FAILED),
        ("ENCODING ERROR", Status.FAILED),
        ("Not a media file", Status.FAILED),
        ("Failed", Status.FAILED),
    ],
)
def test_the_host_s_word_is_kept_beside_ours(provider, sandbox, word, status, caplog):
    info = provider.get_asset(sandbox.add_video(status=word))
    assert (info.status, info.host_status) == (status, word)
    assert bool(info.failure_code) == (status is Status.FAILED)
    assert not caplog.records


def test_an_unknown_word_means_processing_and_is_logged(provider, sandbox, caplog):
    info = provider.get_asset(sandbox.add_video(status="Dreaming"))
    assert (info.status, info.host_status) == (Status.PROCESSING, "Dreaming")
    assert [(record.levelno, "Dreaming" in record.message) for record in caplog.records] == [(logging.WARNING, True)]


def test_an_asset_has_title_duration_and_the_largest_poster(provider, sandbox, ready_id):
    info = provider.get_asset(ready_id)
    posters = {poster["height"]: poster["posterUrl"] for poster in info.raw["posters"]}
    assert (info.title, info.duration_s) == ("Lesson", 48)
    assert info.poster_url == posters[max(posters)]


def test_odd_members_of_an_asset_do_no_harm(provider, sandbox, ready_id):
    odd = {
        "status": "ready",
        "title": None,
        "length": "-3",
        "totalSizeBytes": 1e300,
        "posters": [None, {"height": "480", "posterUrl": "javascript:alert(1)"}, {"height": None, "posterUrl": 3}],
    }
    sandbox.fault(service="vdocipher", path="/vdocipher/api/videos/", status=200, body=json.dumps(odd))
    info = provider.get_asset(ready_id)
    assert (info.title, info.duration_s, info.size_bytes, info.poster_url) == ("", None, None, "")


@pytest.mark.parametrize("body", ['{"id": "x"}', '{"status": 3}', '{"status": ""}', '["ready"]', "null"])
def test_an_asset_without_a_status_is_malformed(provider, sandbox, ready_id, body):
    sandbox.fault(service="vdocipher", path="/vdocipher/api/videos/", status=200, body=body)
    with pytest.raises(MalformedResponse):
        provider.get_asset(ready_id)


@pytest.mark.parametrize("host_id", ["", "../hooks", "a,b", "a/b", "a?b=c", "ä", "a b", "a" * 256])
def test_an_id_that_is_no_id_is_not_even_asked_for(provider, sandbox, host_id):
    with pytest.raises(AssetNotFound):
        provider.get_asset(host_id)
    with pytest.raises(AssetNotFound):
        provider.get_playback(make_request(host_id))
    provider.delete(host_id)
    assert sandbox.calls("vdocipher") == []


def test_a_message_that_tells_more_than_its_status_decides(provider, sandbox, ready_id):
    sandbox.fault(service="vdocipher", path="/vdocipher/api/", status=400, body='{"message": "Video not found"}')
    with pytest.raises(AssetNotFound):
        provider.get_asset(ready_id)


def test_renaming_changes_the_title(provider, ready_id):
    provider.rename(ready_id, "Another title")
    assert provider.get_asset(ready_id).title == "Another title"


# --- OTP ------------------------------------------------------------------------------------------------------------


def test_an_otp_opens_the_player_once_with_the_watermark(provider, ready_id):
    playback = provider.get_playback(make_request(ready_id, viewer=make_viewer(watermark="Ada Lovelace")))
    first, second = requests.get(playback.embed_url, timeout=5), requests.get(playback.embed_url, timeout=5)
    assert "Ada Lovelace" in first.text
    assert (first.status_code, second.status_code) == (200, 403)
    assert "2013" in second.text


def test_every_request_gets_another_otp(provider, ready_id):
    assert len({provider.get_playback(make_request(ready_id)).otp for _ in range(3)}) == 3


def test_the_embed_address_carries_otp_and_playback_info_encoded(configured, ready_id, sandbox):
    provider = configured(player_url=sandbox.vdocipher_player_url + "?player=abcdef")
    playback = provider.get_playback(make_request(ready_id))
    assert playback.playback_info.endswith("=") or "=" not in playback.playback_info
    query = parse_qs(urlsplit(playback.embed_url).query)
    assert query == {"player": ["abcdef"], "otp": [playback.otp], "playbackInfo": [playback.playback_info]}
    assert playback.as_json() == {
        "otp": playback.otp,
        "playbackInfo": playback.playback_info,
        "embed_url": playback.embed_url,
    }


def test_the_body_holds_ttl_user_and_watermark_and_nothing_else(provider, sandbox, ready_id):
    provider.get_playback(make_request(ready_id))
    body = otp_body(sandbox)
    assert set(body) == {"ttl", "userId", "annotate"}
    assert (body["ttl"], body["userId"]) == (300, "7")
    assert json.loads(body["annotate"]) == [
        {
            "type": "rtext",
            "text": "Ada (ada@example.com)",
            "alpha": "0.60",
            "color": "0xFF0000",
            "size": "15",
            "interval": "5000",
        }
    ]


def test_the_watermark_s_looks_are_an_option(configured, sandbox, ready_id):
    provider = configured(watermark_style={"color": "0x00FF00", "skip": 2000})
    provider.get_playback(make_request(ready_id))
    [item] = json.loads(otp_body(sandbox)["annotate"])
    assert (item["color"], item["skip"], item["alpha"]) == ("0x00FF00", "2000", "0.60")


def test_a_viewer_without_a_watermark_sees_none(provider, sandbox, ready_id):
    provider.get_playback(make_request(ready_id, viewer=make_viewer(watermark="")))
    assert "annotate" not in otp_body(sandbox)


@pytest.mark.parametrize(
    "viewer_id", ["7", "a12v-b34s_cef3", "00000000-0000-4000-8000-000000000000", "device:äöü", "x" * 37, "ada@x.org"]
)
def test_a_viewer_is_named_in_the_host_s_alphabet(provider, sandbox, ready_id, viewer_id):
    provider.get_playback(make_request(ready_id, viewer=make_viewer(id=viewer_id)))
    sent = otp_body(sandbox)["userId"]
    assert len(sent) <= 36
    assert sent.replace("-", "").replace("_", "").isalnum()
    assert "@" not in sent


def test_two_viewers_never_share_a_name(provider, sandbox, ready_id):
    names = set()
    for viewer_id in ("x" * 37, "x" * 38, "x" * 36, "ä", "ö"):
        provider.get_playback(make_request(ready_id, viewer=make_viewer(id=viewer_id)))
        names.add(otp_body(sandbox)["userId"])
    assert len(names) == 5


def test_a_whitelist_is_passed_on_as_it_is(configured, sandbox, ready_id):
    provider = configured(whitelist_href=r"(www\.)?example\.com")
    provider.get_playback(make_request(ready_id))
    assert otp_body(sandbox)["whitelisthref"] == r"(www\.)?example\.com"


@pytest.mark.parametrize(
    ("ip", "pinned"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8::1", None),
        ("", None),
        ("unknown", None),
    ],
)
def test_an_otp_is_pinned_to_ipv4_alone(configured, sandbox, ready_id, ip, pinned, caplog):
    caplog.set_level(logging.INFO, "videos")
    configured(pin_ip=True).get_playback(make_request(ready_id, ip=ip))
    assert otp_body(sandbox).get("ipGeo") == ({"allow": [pinned]} if pinned else None)
    assert ("session-1 is not pinned" in caplog.text) == (pinned is None)
    assert not ip or ip not in caplog.text


def test_nothing_is_pinned_unless_asked_for(provider, sandbox, ready_id):
    provider.get_playback(make_request(ready_id, ip="203.0.113.7"))
    assert "ipGeo" not in otp_body(sandbox)


def test_a_video_that_is_not_ready_is_not_playable(provider, sandbox):
    with pytest.raises(Rejected) as caught:
        provider.get_playback(make_request(sandbox.add_video(status="Queued")))
    assert caught.value.code == "not_playable"


def test_a_message_in_place_of_an_otp_means_not_playable(provider, sandbox, ready_id):
    sandbox.fault(service="vdocipher", path=".*/otp", status=200, body='{"message": "Video is not ready"}')
    with pytest.raises(Rejected) as caught:
        provider.get_playback(make_request(ready_id))
    assert caught.value.code == "not_playable"


# --- Uploads --------------------------------------------------------------------------------------------------------


def test_an_upload_ticket_takes_a_file_as_a_form(provider, sandbox):
    ticket = provider.create_upload(UploadRequest(title="Zoo & more", filename="zoo.mp4", size_bytes=5))
    assert list(ticket.fields)[-2:] == ["success_action_status", "success_action_redirect"]
    assert (ticket.fields["success_action_status"], ticket.fields["success_action_redirect"]) == ("201", "")
    assert "uploadLink" not in ticket.fields
    form = [(name, (None, value)) for name, value in ticket.fields.items()]
    upload = requests.post(ticket.url, files=[*form, (ticket.file_field, ("zoo.mp4", b"video"))], timeout=5)
    assert upload.status_code == 201, upload.text
    info = provider.get_asset(ticket.host_id)
    assert (info.title, info.status) == ("Zoo & more", Status.PROCESSING)


def test_a_ticket_ends_with_its_policy(provider):
    ticket = provider.create_upload(UploadRequest(title="Zoo", filename="zoo.mp4"))
    policy = json.loads(base64.b64decode(ticket.fields["policy"]))
    assert ticket.expires_at.isoformat()[:19] == policy["expiration"][:19]
    assert ticket.as_json()["fields"] == ticket.fields
    assert ticket.fields["policy"] not in repr(ticket)


@pytest.mark.parametrize(
    "policy", ["", "not base64!", base64.b64encode(b"[]").decode(), base64.b64encode(b"{}").decode()]
)
def test_a_ticket_whose_policy_cannot_be_read_lasts_an_hour(provider, sandbox, policy):
    body = {"videoId": "a" * 32, "clientPayload": {"uploadLink": "https://bucket.example.com", "policy": policy}}
    sandbox.fault(service="vdocipher", path="/vdocipher/api/videos", status=200, body=json.dumps(body))
    ticket = provider.create_upload(UploadRequest(title="Zoo", filename="zoo.mp4"))
    assert abs(ticket.expires_at - timezone.now() - timedelta(hours=1)) < timedelta(minutes=1)


def test_a_file_over_five_gigabytes_is_refused_before_the_call(provider, sandbox):
    with pytest.raises(Rejected) as caught:
        provider.create_upload(UploadRequest(title="Zoo", filename="zoo.mp4", size_bytes=UPLOAD_MAX_BYTES + 1))
    assert caught.value.code == "file_too_large"
    assert sandbox.calls("vdocipher") == []
    provider.create_upload(UploadRequest(title="Zoo", filename="zoo.mp4", size_bytes=UPLOAD_MAX_BYTES))


@pytest.mark.parametrize("missing", ["videoId", "clientPayload", "clientPayload.uploadLink"])
def test_upload_credentials_without_a_part_are_malformed(provider, sandbox, missing):
    sandbox.fault(service="vdocipher", path="/vdocipher/api/videos", missing=[missing])
    with pytest.raises(MalformedResponse):
        provider.create_upload(UploadRequest(title="Zoo", filename="zoo.mp4"))


def test_an_import_gives_the_new_id(provider):
    host_id = provider.import_url("https://example.com/zoo.mp4", title="Zoo")
    assert provider.get_asset(host_id).title == "Zoo"


def test_an_import_is_not_repeated_when_nobody_knows_whether_it_began(provider, sandbox):
    sandbox.fault(service="vdocipher", path="/vdocipher/api/videos/importUrl", drop=True, times=0)
    with pytest.raises(Exception, match="connection failed"):
        provider.import_url("https://example.com/zoo.mp4", title="Zoo")
    assert len(sandbox.calls("vdocipher")) == 1


# --- Webhook, health ------------------------------------------------------------------------------------------------


def make_hook(**overrides):
    payload = {"id": "8cf4129200a4", "title": "x.mp4", "tags": None, "length": 60, "status": "ready"}
    return {"hookId": "5d56a5234f99", "event": "video:ready", "time": 1538330269833, "payload": payload} | overrides


def parse(provider, hook, token=HOOK_TOKEN):
    body = hook if isinstance(hook, bytes) else json.dumps(hook).encode()
    return provider.parse_webhook(headers={}, query={} if token is None else {"token": token}, body=body)


@pytest.mark.parametrize("event", ["video:ready", "video:readyall"])
def test_a_hook_is_a_hint_about_one_asset(provider, event):
    [found] = parse(provider, make_hook(event=event))
    assert (found.kind, found.host_id, found.host_kind) == (WebhookKind.ASSET_CHANGED, "8cf4129200a4", event)
    assert found.is_hint


@pytest.mark.parametrize(
    "hook",
    [
        make_hook(event="video:dreams"),
        make_hook(event=None),
        make_hook(payload=None),
        make_hook(payload={"id": 7}),
        make_hook(payload={"id": "../x"}),
        make_hook(payload={"id": "\0"}),
        {},
    ],
)
def test_a_hook_that_says_something_else_is_unknown(provider, hook):
    [found] = parse(provider, hook)
    assert found.kind is WebhookKind.UNKNOWN


@pytest.mark.parametrize("token", [None, "", "wrong", HOOK_TOKEN + "x", "ä", "\ud800"])
def test_a_hook_with_another_token_is_refused(provider, token):
    with pytest.raises(WebhookRejected) as caught:
        parse(provider, make_hook(), token)
    assert caught.value.code == "invalid_signature"


@pytest.mark.parametrize("body", [b"", b"\xff", b"[]", b"null", b"{", b"[" * 100_000])
def test_a_hook_that_is_no_object_is_malformed(provider, body):
    with pytest.raises(WebhookRejected) as caught:
        parse(provider, body)
    assert caught.value.code == "malformed"


@pytest.mark.parametrize("token", ["", None, "anything"])
def test_without_a_secret_no_hook_is_believed(configured, token):
    with pytest.raises(WebhookRejected) as caught:
        parse(configured(webhook_secret=""), make_hook(), token)
    assert caught.value.code == "unconfigured"


def test_what_no_database_takes_is_not_kept_of_a_hook(provider):
    [found] = parse(provider, rb'{"event": "video:\u0000", "payload": {"id": "abc", "title": "\ud800"}}')
    assert found.raw == {"event": "video:\ufffd", "payload": {"id": "abc", "title": "?"}}


def test_it_protects_by_drm(provider):
    assert provider.protections == (Protection.DRM,)


# --- Captions, usage ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["en", "EN", "en-GB"])
def test_captions_are_kept_by_two_letter_languages(provider, sandbox, ready_id, language):
    provider.put_caption(ready_id, make_caption(language))
    [upload] = [call for call in sandbox.calls("vdocipher") if call["method"] == "POST"]
    assert upload["query"] == {"language": "en"} or "language=en" in upload["query"]
    provider.delete_caption(ready_id, "en-US")
    assert VdoCipherContract().captions_of(provider, ready_id) == []


@pytest.mark.parametrize("language", ["", "fil", "e1", "../x"])
def test_a_language_of_other_letters_is_refused_before_the_call(provider, sandbox, ready_id, language):
    with pytest.raises(Rejected) as caught:
        provider.put_caption(ready_id, make_caption(language))
    assert (caught.value.code, sandbox.calls("vdocipher")) == ("caption_refused", [])


def test_captions_that_are_refused_leave_the_former_ones(provider, ready_id):
    provider.put_caption(ready_id, make_caption("en", "former"))
    with pytest.raises(Rejected):
        provider.put_caption(ready_id, make_caption("en", body="no captions"))
    assert VdoCipherContract().captions_of(provider, ready_id) == ["en"]


def test_odd_members_of_a_file_list_are_passed_over(provider, sandbox, ready_id):
    files = [None, {"id": "7", "format": "vtt", "lang": "en"}, {"id": 8, "format": "jpeg", "lang": "en"}, {"id": 9}]
    sandbox.fault(service="vdocipher", path=".*/files/", status=200, body=json.dumps(files))
    provider.delete_caption(ready_id, "en")
    assert [call["method"] for call in sandbox.calls("vdocipher")] == ["GET"]


@pytest.mark.parametrize(
    ("table", "found"),
    [
        (b"", {}),
        (b"video,bandwidth\n", {}),
        (b"video,bandwidth\nabc,7\nabc,3\ndef,0\n", {"abc": 10_000, "def": 0}),
        (b'date,video_id,title,bandwidth\r\n2026-01-18,abc,"a, b",7.5\r\n', {"abc": 7500}),
        (b"\xef\xbb\xbfVideo, Bandwidth\nabc, 7\n\n", {"abc": 7000}),
        (b"video,bandwidth\nabc\nabc,x\n,4\nabc,-1\nabc,2\n", {"abc": 2000}),
    ],
)
def test_a_day_s_table_is_read_by_its_column_names(provider, sandbox, table, found):
    sandbox.fault(service="vdocipher", path=".*/video-usage", status=200, body=table.decode())
    day = date(2026, 1, 18)
    assert provider.usage(day) == [
        HostUsage(host_id=video, day=day, delivered_bytes=size) for video, size in found.items()
    ]
    assert json.loads(sandbox.calls("vdocipher")[-1]["body"]) == {"date": "2026-01-18"}


@pytest.mark.parametrize("table", ['{"message": "odd"}', "video,size\nabc,7\n", "abc,7\n"])
def test_a_table_without_its_columns_is_malformed(provider, sandbox, table):
    sandbox.fault(service="vdocipher", path=".*/video-usage", status=200, body=table)
    with pytest.raises(MalformedResponse):
        provider.usage(date(2026, 1, 18))
