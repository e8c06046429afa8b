"""Thin events name an object instead of carrying it: https://docs.stripe.com/event-destinations

A thin event has an id of its own; here it is made from the id of the full event that it stands for.
"""

from datetime import UTC, datetime

from sandbox.store import Record

FULL, THIN = "evt_", "evt_test_"
ADDRESSES = {
    "charge": "/v1/charges/",
    "checkout.session": "/v1/checkout/sessions/",
    "dispute": "/v1/disputes/",
    "payment_intent": "/v1/payment_intents/",
    "refund": "/v1/refunds/",
}


def notification(event: Record) -> Record:
    """What is delivered of a full event when the endpoint asked for thin ones."""
    subject = event["data"]["object"]
    kind, subject_id = subject["object"], subject["id"]
    return {
        "id": THIN + event["id"].removeprefix(FULL),
        "object": "v2.core.event",
        "type": f"v1.{event['type']}",
        "livemode": event["livemode"],
        "created": datetime.fromtimestamp(event["created"], UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "related_object": {"id": subject_id, "type": kind, "url": ADDRESSES[kind] + subject_id},
        "context": None,
        "reason": None,
    }


def full_id(thin_id: str) -> str:
    """The id of the full event behind a thin one; what is no thin event's id gives the id of nothing."""
    return FULL + thin_id.removeprefix(THIN) if thin_id.startswith(THIN) else ""
