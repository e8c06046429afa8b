"""What anybody may send to the webhook, and what each is answered: a stable code, never a 500, and nothing is kept."""

import io
import json
import time

import pytest
from django.test import AsyncRequestFactory, Client

from payments.api.webhook import MAX_BODY_BYTES, stripe_webhook
from payments.models import WebhookEvent
from payments.tests.buying import SECRET, WEBHOOK, post, signed

pytestmark = pytest.mark.django_db
OTHER_SECRET = "whsec_the_next_one"
FULL = {
    "id": "evt_1",
    "object": "event",
    "type": "customer.created",
    "livemode": False,
    "created": 1_700_000_000,
    "data": {"object": {"id": "cus_1", "object": "customer"}},
}
THIN = {
    "id": "evt_test_1",
    "object": "v2.core.event",
    "type": "v1.customer.created",
    "livemode": False,
    "created": "2026-11-21T12:00:00.000Z",
    "related_object": {"id": "cus_1", "type": "customer", "url": "/v1/customers/cus_1"},
}
BODY = json.dumps(FULL).encode()


def now() -> int:
    return int(time.time())


def answer_to(body: bytes, header: str | None, **extra) -> tuple[int, str]:
    answer = post(body, header, **extra)
    assert not WebhookEvent.objects.exists()
    return answer.status_code, answer.json()["result"]


def test_what_is_signed_and_not_for_us_is_taken():
    assert answer_to(BODY, signed(BODY)) == (200, "ignored")


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        " ",
        "garbage",
        "=",
        ",,,",
        "t=1",
        "v1=00",
        "t=,v1=",
        "t=now,v1=00",
        "t=-1,v1=00",
        "t=1e9,v1=00",
        "t=99999999999999999999999,v1=00",
        "t=1,v1=\xe9\xfc",
        "t=1,v1=" + "0" * 100_000,
        "é=é",
        "t=1=1,v1=0",
        "t=" + "9" * 5_000 + ",v1=0",
    ],
    ids=lambda header: repr(header)[:30],
)
def test_a_header_that_is_missing_or_garbled_is_refused(header):
    assert answer_to(BODY, header) == (400, "invalid_signature")


@pytest.mark.parametrize(("age_s", "is_taken"), [(290, True), (310, False), (10**6, False), (-3600, True)])
def test_a_signature_counts_for_five_minutes_and_one_of_the_future_needs_the_secret_all_the_same(age_s, is_taken):
    wanted = (200, "ignored") if is_taken else (400, "invalid_signature")
    assert answer_to(BODY, signed(BODY, at=now() - age_s)) == wanted
    assert answer_to(BODY, signed(BODY, at=now() - age_s, secret=OTHER_SECRET)) == (400, "invalid_signature")


def test_a_signature_fits_its_own_body_time_and_scheme_alone(settings):
    at = now()
    header = signed(BODY, at=at)
    for wrong in (header.replace("v1=", "v0="), header.replace(f"t={at}", f"t={at - 1}"), header[:-1]):
        assert answer_to(BODY, wrong) == (400, "invalid_signature")
    assert answer_to(BODY + b" ", header) == (400, "invalid_signature")
    assert answer_to(BODY, header.upper()) == (400, "invalid_signature")


def test_while_a_secret_is_replaced_each_of_both_is_enough_and_afterwards_one(settings):
    both = signed(BODY, secret=OTHER_SECRET) + "," + signed(BODY).partition(",")[2]
    settings.STRIPE_WEBHOOK_SECRETS = [OTHER_SECRET, SECRET]
    for header in (signed(BODY), signed(BODY, secret=OTHER_SECRET), both):
        assert answer_to(BODY, header) == (200, "ignored")
    settings.STRIPE_WEBHOOK_SECRETS = [OTHER_SECRET]
    assert answer_to(BODY, signed(BODY)) == (400, "invalid_signature")
    assert answer_to(BODY, both) == (200, "ignored")


@pytest.mark.parametrize("secrets", [[], [""], [" ", ""]])
def test_without_a_secret_the_door_is_not_there_not_even_for_what_is_signed_with_nothing(settings, secrets):
    settings.STRIPE_WEBHOOK_SECRETS = secrets
    assert answer_to(BODY, signed(BODY, secret=(secrets or [""])[0])) == (404, "not_configured")


def test_an_empty_secret_beside_a_real_one_opens_nothing(settings):
    settings.STRIPE_WEBHOOK_SECRETS = ["", SECRET]
    assert answer_to(BODY, signed(BODY, secret="")) == (400, "invalid_signature")


def test_a_body_may_be_half_a_megabyte():
    body = json.dumps(FULL | {"padding": "x" * (MAX_BODY_BYTES - 400)}).encode()
    assert answer_to(body, signed(body)) == (200, "ignored")
    for length in (MAX_BODY_BYTES + 1, 1024 * 1024, 50 * 1024 * 1024):
        assert answer_to(b"", "t=1,v1=0", CONTENT_LENGTH=str(length)) == (413, "too_large")


@pytest.mark.parametrize(
    ("length", "code"),
    [
        ("", "invalid_signature"),
        ("0", "invalid_signature"),
        *[(odd, "invalid_body") for odd in ("-1", "many", "1.5", "²", "٣")],
    ],
)
def test_a_body_without_its_length_is_not_read(length, code):
    huge = json.dumps(FULL | {"padding": "x" * MAX_BODY_BYTES}).encode()
    for chunked in ({}, {"HTTP_TRANSFER_ENCODING": "chunked"}):
        assert answer_to(huge, signed(huge), CONTENT_LENGTH=length, **chunked) == (400, code)


def test_a_server_that_reads_a_chunked_body_itself_is_held_to_the_limit_too():
    huge = json.dumps(FULL | {"padding": "x" * MAX_BODY_BYTES}).encode()
    request = AsyncRequestFactory().post(WEBHOOK, huge, "application/json", headers={"Stripe-Signature": signed(huge)})
    del request.META["CONTENT_LENGTH"]
    answer = stripe_webhook(request)
    assert (answer.status_code, json.loads(answer.content)) == (413, {"result": "too_large"})


def test_a_sender_who_leaves_in_the_middle_is_no_fault_of_ours():
    class Cut(io.BytesIO):
        def read(self, *args) -> bytes:
            raise OSError("connection reset by peer")

    assert answer_to(BODY, signed(BODY), **{"wsgi.input": Cut()}) == (400, "invalid_body")


@pytest.mark.parametrize("method", ["get", "head", "put", "patch", "delete", "options", "trace"])
def test_only_post_is_answered(method):
    answer = Client().generic(method.upper(), WEBHOOK, BODY, headers={"Stripe-Signature": signed(BODY)})
    assert (answer.status_code, answer["Allow"]) == (405, "POST")


def changed(event: dict, **values) -> bytes:
    return json.dumps(event | values).encode()


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"not json", b"null", b"1", b'"text"', b"[]", b"[{}]", b"{}", b"NaN", b"\xff\xfe", b"\x00"),
        BODY.decode().encode("utf-16"),
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"id": "evt_1", "created": ' + b"9" * 5_000 + b"}",
        changed(FULL, created=None),
        changed(FULL, created="now"),
        changed(FULL, created=1e99),
        changed(FULL, created=-(10**18)),
        changed(FULL, data=None),
        changed(FULL, data=[]),
        changed(FULL, data={}),
        changed(FULL, data={"object": None}),
        changed(FULL, data={"object": "cs_1"}),
        changed(FULL, data={"object": ["id"]}),
        changed(FULL, data={"object": {}}),
        changed(FULL, id=""),
        changed(FULL, id="evt_" + "1" * 255),
        changed(FULL, id="evt_\0"),
        changed(FULL, type="x" * 101),
        changed(FULL, data={"object": {"id": "cs_" + "1" * 255}}),
        changed(FULL, data={"object": {"id": "cs_\0"}}),
        changed(FULL, object="v2.core.event"),
        changed(THIN, created="yesterday"),
        changed(THIN, created="2026-11-21T12:00:00"),
        changed(THIN, created="9999-12-31T23:59:59-12:00"),
        changed(THIN, created=1_700_000_000),
        changed(THIN, related_object=[1]),
        changed(THIN, related_object="cus_1"),
        changed(THIN, related_object={"id": "x" * 256}),
        changed(THIN, object="event"),
        json.dumps({name: THIN[name] for name in ("object", "id")}).encode(),
    ],
    ids=lambda body: repr(body)[:40],
)
def test_a_signed_body_that_is_no_event_is_refused(body):
    header = "t=1,v1=0" if body[:1] in (b"\xff",) else signed(body)
    assert answer_to(body, header) == (400, "invalid_signature")


@pytest.mark.parametrize(
    "event",
    [
        FULL,
        THIN,
        FULL | {"type": "radar.early_fraud_warning.created"},
        FULL | {"type": ""},
        FULL | {"type": "checkout.session.completed", "livemode": True},
        FULL | {"type": "checkout.session.completed", "data": {"object": {"id": "cs_1", "metadata": None}}},
        FULL | {"type": "checkout.session.completed", "data": {"object": {"id": "cs_1", "metadata": ["env"]}}},
        FULL | {"type": "checkout.session.completed", "data": {"object": {"id": "cs_1", "metadata": {"env": {}}}}},
        FULL | {"type": "refund.created", "data": {"object": {"id": ""}}},
        THIN | {"type": "v2.core.event_destination.ping"},
        THIN | {"type": "v1.checkout.session.completed", "related_object": None},
        THIN | {"type": "v1.checkout.session.completed", "related_object": {}},
        THIN | {"type": "v1.checkout.session.completed", "livemode": True},
        THIN | {"type": "v1.refund.created", "related_object": {"type": "refund"}},
        THIN | {"type": "v1.v1.checkout.session.completed"},
    ],
    ids=lambda event: f"{event['object']} {event['type']} {event.get('related_object', '')}",
)
def test_an_event_that_is_not_ours_is_taken_and_nothing_is_kept(event, sandbox):
    body = json.dumps(event).encode()
    assert answer_to(body, signed(body)) == (200, "ignored")
    assert sandbox.calls("stripe") == []
