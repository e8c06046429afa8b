import hashlib
import hmac
import re
import time

import pytest
import requests

from sandbox.cloudflare.hooks import signature_header
from sandbox.tests.cloudflare.client import CLIP, ask, error_of, reserve, result, video, wait_until
from sandbox.tests.receiver import Receiver


@pytest.fixture
def receiver(sandbox):
    with Receiver() as receiver:
        sandbox.context.webhooks.cloudflare_url = receiver.url
        yield receiver
        sandbox.context.webhooks.cloudflare_url = ""


def is_signed(received, secret):
    found = re.fullmatch(r"time=(\d+),sig1=([0-9a-f]{64})", received.headers["Webhook-Signature"])
    assert found
    assert abs(time.time() - int(found[1])) < 10
    source = found[1].encode() + b"." + received.body
    return hmac.compare_digest(hmac.new(secret.encode(), source, hashlib.sha256).hexdigest(), found[2])


@pytest.mark.parametrize(
    ("secret", "body", "signature"),
    [
        (
            "85011ed3a913c6ad5f9cf6c5573cc0a7",
            b'{"uid":"6b9e68b07dfee8cc2d116e4c51d6a957","readyToStream":true,"status":{"state":"ready"}}',
            "b8f46d000fbe14415af0ee466d66fc9b4349ab2acfaab6b799dc41743cd86741",
        ),
        (
            "secret from the Cloudflare API",
            b"string from step 2",
            "c81e1e692ec2740a7a647d4c8c0d64b894c97192c2fc3e40352f493eeff6cc42",
        ),
    ],
)
def test_the_signature_is_the_documented_one(secret, body, signature):
    assert signature_header(secret, body, 1230811200) == f"time=1230811200,sig1={signature}"


def test_the_hook_is_the_bare_video_once_processing_has_ended(sandbox, receiver):
    made = reserve(sandbox)
    requests.post(made["uploadURL"], files={"file": ("a.webm", CLIP)}, timeout=10)
    wait_until(sandbox, made["uid"], "ready")
    [received] = receiver.wait_for(1)
    time.sleep(0.1)
    assert len(receiver.received) == 1
    assert received.json == video(sandbox, made["uid"])
    assert is_signed(received, "hook-secret")
    assert not is_signed(received, "another-secret")


def test_a_failure_is_told_as_well(sandbox, receiver):
    uid = sandbox.cloudflare.add_video(state="queued")
    sandbox.cloudflare.set_state(uid, "error", error_code="ERR_MALFORMED_VIDEO")
    assert receiver.wait_for(1)[0].json["status"]["errorReasonCode"] == "ERR_MALFORMED_VIDEO"


def test_other_states_deletions_and_quiet_changes_send_nothing(sandbox, receiver):
    uid = sandbox.cloudflare.add_video(state="queued")
    sandbox.cloudflare.set_state(uid, "inprogress", pct="39.000000")
    sandbox.cloudflare.set_state(uid, "ready", send_hook=False)
    ask(sandbox, "DELETE", f"/{uid}")
    time.sleep(0.2)
    assert receiver.received == []


def test_a_ready_hook_may_carry_a_percentage_of_its_own(sandbox, receiver):
    uid = sandbox.cloudflare.add_video(state="queued")
    sandbox.cloudflare.set_state(uid, "ready", pct="39.000000")
    body = receiver.wait_for(1)[0].json
    assert (body["readyToStream"], body["status"]["pctComplete"]) == (True, "39.000000")


def test_the_last_subscription_wins_and_shows_its_secret(sandbox):
    assert error_of(ask(sandbox, "GET", "/webhook"))[0] == 404
    result(ask(sandbox, "PUT", "/webhook", json={"notificationUrl": "http://127.0.0.1:9/first"}))
    with Receiver() as receiver:
        made = result(ask(sandbox, "PUT", "/webhook", json={"notification_url": receiver.url}))
        assert made["notificationUrl"] == made["notification_url"] == receiver.url
        assert result(ask(sandbox, "GET", "/webhook")) == made
        sandbox.cloudflare.set_state(sandbox.cloudflare.add_video(state="queued"), "ready")
        assert is_signed(receiver.wait_for(1)[0], made["secret"])
        result(ask(sandbox, "DELETE", "/webhook"))
        sandbox.cloudflare.set_state(sandbox.cloudflare.add_video(state="queued"), "ready")
        time.sleep(0.2)
        assert len(receiver.received) == 1
    for wrong in ({}, {"notificationUrl": "example.com"}, {"notificationUrl": 5}):
        assert error_of(ask(sandbox, "PUT", "/webhook", json=wrong))[0] == 400


def test_a_new_secret_signs_from_then_on(sandbox, receiver):
    secret = sandbox.cloudflare.create_webhook_secret()
    sandbox.cloudflare.set_state(sandbox.cloudflare.add_video(state="queued"), "ready")
    received = receiver.wait_for(1)[0]
    assert is_signed(received, secret)
    assert not is_signed(received, "hook-secret")


def test_faults_double_drop_and_missign_hooks(sandbox, receiver):
    uid = sandbox.cloudflare.add_video(state="queued")
    sandbox.fault(service="cloudflare", webhook={"duplicate": 2})
    sandbox.cloudflare.set_state(uid, "ready")
    first, second = receiver.wait_for(2)
    assert first.body == second.body
    sandbox.fault(service="cloudflare", webhook={"drop": True})
    sandbox.cloudflare.set_state(uid, "ready")
    sandbox.fault(service="cloudflare", webhook={"wrong_secret": True})
    sandbox.cloudflare.set_state(uid, "error")
    third = receiver.wait_for(3)[2]
    assert third.json["status"]["state"] == "error"
    assert not is_signed(third, "hook-secret")


def test_a_held_back_hook_arrives_after_the_next_one(sandbox, receiver):
    first, second = (sandbox.cloudflare.add_video(title=name, state="queued") for name in "ab")
    sandbox.fault(service="cloudflare", webhook={"reorder": True})
    sandbox.cloudflare.set_state(first, "ready")
    time.sleep(0.1)
    assert receiver.received == []
    sandbox.cloudflare.set_state(second, "ready")
    assert [hook.json["uid"] for hook in receiver.wait_for(2)] == [second, first]


def test_a_held_back_hook_that_nothing_follows_arrives_by_itself(sandbox, receiver):
    sandbox.fault(service="cloudflare", webhook={"reorder": True})
    sandbox.cloudflare.set_state(sandbox.cloudflare.add_video(state="queued"), "ready")
    receiver.wait_for(1)
