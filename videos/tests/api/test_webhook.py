import json
import logging
import time

import pytest

from sandbox.cloudflare.hooks import signature_header
from videos.models import Asset, AssetStatus, WebhookEvent, WebhookRefusal
from videos.services.hooks import count_refusal
from videos.tests.factories import host_video, make_video
from videos.tests.statements import counted_statements

pytestmark = pytest.mark.django_db

ADDRESS = "/api/videos/webhooks/vdocipher/"
SIGNED = f"{ADDRESS}?token=hook-token-for-tests"


def hook(host_id, event="video:ready", **payload) -> dict:
    payload = {"id": host_id, "title": "x", "length": 60, "status": "ready"} | payload
    return {"hookId": "5d56", "event": event, "time": 1538330269833, "payload": payload}


@pytest.fixture
def preparing(sandbox):
    return host_video(sandbox, asset={"status": AssetStatus.PROCESSING}).assets.get()


def post(client, body, address=SIGNED):
    return client.post(address, body if isinstance(body, bytes) else json.dumps(body), content_type="application/json")


def test_a_hook_has_the_host_asked_and_the_hosts_answer_counts(
    sandbox, client, preparing, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        assert post(client, hook(preparing.host_id)).status_code == 200
    preparing.refresh_from_db()
    assert preparing.status == AssetStatus.READY


def test_a_hook_that_says_ready_too_early_changes_nothing(
    sandbox, client, preparing, django_capture_on_commit_callbacks
):
    sandbox.set_video_status(preparing.host_id, "Queued", send_hook=False)
    with django_capture_on_commit_callbacks(execute=True):
        post(client, hook(preparing.host_id))
        post(client, hook(preparing.host_id))
    preparing.refresh_from_db()
    assert preparing.status == AssetStatus.PROCESSING


@pytest.mark.parametrize("address", [ADDRESS, f"{ADDRESS}?token=", f"{ADDRESS}?token=wrong", f"{ADDRESS}?token=%00é"])
def test_a_hook_without_the_token_is_rejected(sandbox, client, preparing, address, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks() as asked:
        response = post(client, hook(preparing.host_id), address)
    assert response.status_code == 400
    assert asked == []


def test_an_unknown_door_and_one_without_a_secret_do_not_exist(sandbox, client, settings):
    assert post(client, hook("x"), "/api/videos/webhooks/nobody/?token=x").status_code == 404
    settings.VIDEO_PROVIDERS["vdocipher"]["OPTIONS"]["webhook_secret"] = ""
    assert post(client, hook("x"), f"{ADDRESS}?token=").status_code == 404


@pytest.mark.parametrize("body", [b"", b"not json", b"[]", b"null", b"\xff\xfe", b'{"event": 3}', b'{"payload": []}'])
def test_a_malformed_hook_changes_nothing(sandbox, client, body, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks() as asked:
        assert post(client, body).status_code in (200, 400)
    assert asked == []


@pytest.mark.usefixtures("sandbox", "db")
def test_an_oversized_hook_is_rejected(client):
    response = post(client, b"x" * (256 * 1024 + 1))
    assert (response.status_code, response.json()["errors"][0]["code"]) == (400, "too_large")


def test_an_unknown_event_or_video_is_accepted_and_ignored(
    sandbox, client, preparing, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks() as asked:
        assert post(client, hook("f" * 32)).status_code == 200
        assert post(client, hook("f" * 32, event="video:sneezed")).status_code == 200
    assert asked == []


def test_only_post_is_taken(sandbox, client):
    assert client.get(SIGNED).status_code == 405


CLOUDFLARE = "/api/videos/webhooks/cloudflare/"
SECRET = "cloudflare-hook-secret-for-tests"


@pytest.fixture
def streamed(sandbox):
    """A copy that the stand-in for Cloudflare Stream has under way."""
    host_id = sandbox.cloudflare.add_video(state="inprogress")
    video = make_video(asset={"provider": "cloudflare", "host_id": host_id, "status": AssetStatus.PROCESSING})
    return video.assets.get()


def post_signed(client, body: dict, *, secret=SECRET, at=None):
    sent = json.dumps(body).encode()
    signature = signature_header(secret, sent, int(time.time()) if at is None else at)
    return client.post(CLOUDFLARE, sent, content_type="application/json", headers={"Webhook-Signature": signature})


def asked(sandbox, asset):
    """How often the host was asked about this copy."""
    paths = [call["path"] for call in sandbox.calls() if call["method"] == "GET"]
    return sum(path.endswith(f"/{asset.host_id}") for path in paths)


def test_a_signed_hook_is_kept_with_its_payload_and_handled_by_the_hosts_answer(
    sandbox, client, streamed, django_capture_on_commit_callbacks
):
    sandbox.cloudflare.set_state(streamed.host_id, "ready", send_hook=False)
    with django_capture_on_commit_callbacks(execute=True):
        assert post_signed(client, sandbox.cloudflare.video(streamed.host_id)).status_code == 200
    streamed.refresh_from_db()
    event = WebhookEvent.objects.get()
    assert streamed.status == AssetStatus.READY
    assert (event.asset, event.host_id, event.host_kind) == (streamed, streamed.host_id, "ready")
    assert (event.times_received, event.last_error) == (1, "")
    assert event.handled_at is not None
    assert event.payload["uid"] == streamed.host_id


def test_of_an_unsigned_hook_nothing_is_kept_but_what_it_is_about(
    sandbox, client, preparing, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        post(client, hook(preparing.host_id))
    event = WebhookEvent.objects.get()
    assert (event.host_id, event.host_kind, event.payload) == (preparing.host_id, "video:ready", {})


def test_the_same_hook_again_raises_its_count_alone(sandbox, client, streamed, django_capture_on_commit_callbacks):
    sandbox.cloudflare.set_state(streamed.host_id, "ready", send_hook=False)
    body = sandbox.cloudflare.video(streamed.host_id)
    for _ in range(3):
        with django_capture_on_commit_callbacks(execute=True):
            assert post_signed(client, body).status_code == 200
    event = WebhookEvent.objects.get()
    assert event.times_received == 3
    assert event.handled_at is not None
    streamed.refresh_from_db()
    assert (streamed.status, streamed.next_poll_at) == (AssetStatus.READY, None)


def test_hooks_out_of_order_and_replayed_end_in_what_the_host_says(
    sandbox, client, streamed, django_capture_on_commit_callbacks
):
    early = sandbox.cloudflare.video(streamed.host_id)
    sandbox.cloudflare.set_state(streamed.host_id, "error", error_code="ERR_NON_VIDEO", send_hook=False)
    failed = sandbox.cloudflare.video(streamed.host_id)
    sandbox.cloudflare.set_state(streamed.host_id, "ready", send_hook=False)
    ready = sandbox.cloudflare.video(streamed.host_id)
    for body in (ready, failed, early, failed, ready, early):
        with django_capture_on_commit_callbacks(execute=True):
            post_signed(client, body)
    streamed.refresh_from_db()
    assert (streamed.status, streamed.failure_code) == (AssetStatus.READY, "")
    assert not WebhookEvent.objects.filter(handled_at=None).exists()


def test_many_hooks_of_one_copy_cause_one_question(sandbox, client, streamed, django_capture_on_commit_callbacks):
    body = sandbox.cloudflare.video(streamed.host_id)
    with django_capture_on_commit_callbacks(execute=True):
        for number in range(5):
            post_signed(client, body | {"modified": f"2026-01-01T00:00:0{number}Z"})
    assert WebhookEvent.objects.count() == 5
    assert asked(sandbox, streamed) == 1
    assert not WebhookEvent.objects.filter(handled_at=None).exists()


def test_a_host_that_cannot_answer_leaves_the_event_open_and_the_copy_due(
    sandbox, client, streamed, django_capture_on_commit_callbacks
):
    sandbox.fault(service="cloudflare", path="/stream/", times=0, status=403)
    with django_capture_on_commit_callbacks(execute=True):
        assert post_signed(client, sandbox.cloudflare.video(streamed.host_id)).status_code == 200
    event = WebhookEvent.objects.get()
    assert (event.handled_at, event.last_error) == (None, "host_credentials_rejected")
    streamed.refresh_from_db()
    assert streamed.next_poll_at is not None


def test_a_hook_about_nothing_of_ours_is_kept_and_asks_nobody(sandbox, client, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks() as callbacks:
        assert post_signed(client, {"uid": "f" * 32, "status": {"state": "ready"}}).status_code == 200
    event = WebhookEvent.objects.get()
    assert (event.asset, callbacks) == (None, [])
    assert event.handled_at is not None


def test_a_hook_costs_four_statements_at_most(sandbox, client, streamed):
    body = sandbox.cloudflare.video(streamed.host_id)
    for _ in range(2):
        with counted_statements() as statements:
            post_signed(client, body)
        assert len(statements) <= 4, statements


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ({"secret": "another secret"}, "invalid_signature"),
        ({"at": 1_230_811_200}, "invalid_signature"),
    ],
)
def test_a_forged_or_stale_hook_is_counted_and_nothing_of_it_is_kept(sandbox, client, streamed, sent, code):
    before = Asset.objects.get().next_poll_at
    for _ in range(3):
        assert post_signed(client, {"uid": streamed.host_id}, **sent).status_code == 400
    refusal = WebhookRefusal.objects.get()
    assert (refusal.provider, refusal.code, refusal.count) == ("cloudflare", code, 3)
    assert not WebhookEvent.objects.exists()
    assert Asset.objects.get().next_poll_at == before


def test_many_refusals_are_an_error_in_the_log(db, caplog):
    for _ in range(10):
        count_refusal("cloudflare", "invalid_signature")
    levels = [record.levelno for record in caplog.records]
    assert levels == [logging.WARNING] * 9 + [logging.ERROR]


def test_a_refusal_costs_one_statement(sandbox, client):
    with counted_statements() as statements:
        post_signed(client, {}, secret="wrong")
    assert len(statements) == 1


def test_what_no_column_can_hold_is_kept_as_far_as_it_can(sandbox, client, streamed):
    body = {"uid": streamed.host_id, "status": {"state": "re\0ady" + "x" * 300}, "meta": {"name": "\ud800"}}
    assert post_signed(client, body).status_code == 200
    assert len(WebhookEvent.objects.get().host_kind) == 64
