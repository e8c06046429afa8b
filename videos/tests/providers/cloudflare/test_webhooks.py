import pytest

from videos.providers import signatures
from videos.tests.providers.cloudflare.signing import signed
from videos.tests.providers.contract_webhooks import Hook, encoded, parse, refusal

VECTORS = [
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
]


@pytest.mark.parametrize(("secret", "body", "digest"), VECTORS)
def test_known_signatures_are_believed_in_their_time(secret, body, digest, monkeypatch):
    names = {"time_name": "time", "digest_name": "sig1"}
    monkeypatch.setattr(signatures.time, "time", lambda: 1230811200.0)
    signatures.verify_timed(f"time=1230811200,sig1={digest}", body=body, secret=secret, **names)
    signatures.verify_timed(f"sig1={digest}, time=1230811200", body=body, secret=secret, **names)
    for changed in (digest[:-1] + "0", digest.upper(), digest[:-1], ""):
        with pytest.raises(Exception, match="signature"):
            signatures.verify_timed(f"time=1230811200,sig1={changed}", body=body, secret=secret, **names)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda time, sig: "",
        lambda time, sig: time,
        lambda time, sig: sig,
        lambda time, sig: f"{time},{sig},{sig}",
        lambda time, sig: f"{time},{time},{sig}",
        lambda time, sig: f"time=,{sig}",
        lambda time, sig: f"{time}.0,{sig}",
        lambda time, sig: f"{time};{sig}",
        lambda time, sig: f"{time},sig2={sig[5:]}",
        lambda time, sig: "x" * 100_000,
        lambda time, sig: f"{time},{sig}\ud800",
    ],
)
def test_a_spoiled_signature_is_refused(provider, spoil):
    hook = signed(b"{}")
    header = spoil(*hook.headers["Webhook-Signature"].split(","))
    assert refusal(provider, Hook(body=b"{}", headers={"Webhook-Signature": header})) == "invalid_signature"


def test_each_change_of_a_video_is_its_own_event(provider, ready_id):
    def event_id(state, modified):
        body = {"uid": ready_id, "status": {"state": state}, "modified": modified}
        [event] = parse(provider, signed(encoded(body)))
        return event.event_id

    ids = [event_id("ready", "1"), event_id("ready", "1"), event_id("ready", "2"), event_id("error", "2")]
    assert len(set(ids)) == 3
