import json

import pytest

from videos.models import AssetStatus
from videos.tests.factories import host_video

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
