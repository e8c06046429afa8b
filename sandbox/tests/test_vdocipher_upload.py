import base64
import json
import socket
import time
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

import pytest
import requests
from botocore.auth import S3SigV4PostAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from sandbox.tests.receiver import Receiver
from sandbox.tests.vdocipher_client import ask
from sandbox.vdocipher import uploads
from sandbox.vdocipher.player import SAMPLE

GIF = b"GIF89a" + bytes(40)


def new_ticket(sandbox, title="zoo.mp4"):
    answer = ask(sandbox, "PUT", "/videos", params={"title": title, "folderId": "root"})
    assert answer.status_code == 200, answer.text
    return answer.json()


def form_of(ticket, content=b"\x1a\x45\xdf\xa3 film", **changes):
    """The multipart parts in the documented order; a change to None leaves the field out."""
    fields = {name: value for name, value in ticket["clientPayload"].items() if name != "uploadLink"}
    fields |= {"success_action_status": "201", "success_action_redirect": ""} | changes
    parts = [(name, (None, value)) for name, value in fields.items() if value is not None]
    return [*parts, ("file", ("film.webm", content, "video/webm"))]


def post(ticket, parts):
    return requests.post(ticket["clientPayload"]["uploadLink"], files=parts, timeout=10)


def error_of(answer):
    root = ElementTree.fromstring(answer.text)
    assert root.tag == "Error"
    return root.findtext("Code"), root.findtext("Message")


def status_of(sandbox, ticket):
    return ask(sandbox, "GET", f"/videos/{ticket['videoId']}").json()["status"]


def settle(sandbox, ticket):
    deadline = time.monotonic() + 5
    while (word := status_of(sandbox, ticket)) == "Queued" and time.monotonic() < deadline:
        time.sleep(0.02)
    return word


def signed_policy(sandbox, ticket, **changes):
    """The ticket's policy with changes, signed anew as the bucket's owner would."""
    policy = json.loads(base64.b64decode(ticket["clientPayload"]["policy"])) | changes
    encoded = base64.b64encode(json.dumps(policy).encode()).decode()
    credential = ticket["clientPayload"]["x-amz-credential"]
    return {"policy": encoded, "x-amz-signature": uploads.signature(sandbox.context, encoded, credential)}


def test_a_ticket_makes_a_video_that_waits_for_its_file(sandbox):
    ticket = new_ticket(sandbox)
    names = {"policy", "key", "x-amz-signature", "x-amz-algorithm", "x-amz-date", "x-amz-credential", "uploadLink"}
    assert set(ticket["clientPayload"]) == names
    assert status_of(sandbox, ticket) == "PRE-Upload"
    policy = json.loads(base64.b64decode(ticket["clientPayload"]["policy"]))
    lifetime = datetime.fromisoformat(policy["expiration"]) - datetime.now(UTC)
    assert timedelta(minutes=59) < lifetime <= timedelta(hours=1)
    assert ["starts-with", "$success_action_redirect", ""] in policy["conditions"]


def test_a_ticket_needs_a_title(sandbox):
    assert ask(sandbox, "PUT", "/videos").status_code == 400


def test_an_uploaded_film_is_queued_then_ready_and_then_its_hook_comes(sandbox):
    with Receiver() as receiver:
        sandbox.context.webhooks.vdocipher_url = receiver.url
        ticket = new_ticket(sandbox)
        answer = post(ticket, form_of(ticket, SAMPLE.read_bytes()))
        assert answer.status_code == 201
        root = ElementTree.fromstring(answer.text)
        assert root.tag == "PostResponse"
        assert root.findtext("Key") == ticket["clientPayload"]["key"]
        assert root.findtext("ETag").startswith('"')
        assert status_of(sandbox, ticket) == "Queued"
        assert settle(sandbox, ticket) == "ready"
        [received] = receiver.wait_for(1)
    assert received.json["payload"]["id"] == ticket["videoId"]
    assert received.json["payload"]["length"] == 48
    video = ask(sandbox, "GET", f"/videos/{ticket['videoId']}").json()
    assert (video["length"], video["totalSizeBytes"]) == (48, SAMPLE.stat().st_size)


@pytest.mark.parametrize(("content", "word"), [(GIF, "Encoding error"), (b"plain words", "Not a media file")])
def test_what_is_no_film_fails_without_a_hook(sandbox, content, word):
    with Receiver() as receiver:
        sandbox.context.webhooks.vdocipher_url = receiver.url
        ticket = new_ticket(sandbox)
        assert post(ticket, form_of(ticket, content)).status_code == 201
        assert settle(sandbox, ticket) == word
        assert sandbox.context.deliveries.drain(2)
        assert receiver.received == []


def test_an_expired_policy_is_refused(sandbox):
    ticket = new_ticket(sandbox)
    expired = signed_policy(sandbox, ticket, expiration="2026-01-01T00:00:00.000Z")
    answer = post(ticket, form_of(ticket, **expired))
    assert answer.status_code == 403
    assert error_of(answer) == ("AccessDenied", "Invalid according to Policy: Policy expired.")
    assert status_of(sandbox, ticket) == "PRE-Upload"


def test_the_empty_redirect_field_may_not_be_left_out(sandbox):
    ticket = new_ticket(sandbox)
    answer = post(ticket, form_of(ticket, success_action_redirect=None))
    assert answer.status_code == 403
    wanted = 'Invalid according to Policy: Policy Condition failed: ["starts-with", "$success_action_redirect", ""]'
    assert error_of(answer) == ("AccessDenied", wanted)


def test_fields_after_the_file_are_ignored(sandbox):
    ticket = new_ticket(sandbox)
    *fields, file = form_of(ticket)
    late = [part for part in fields if part[0] == "success_action_redirect"]
    early = [part for part in fields if part not in late]
    answer = post(ticket, [*early, file, *late])
    assert answer.status_code == 403
    assert "$success_action_redirect" in error_of(answer)[1]


def test_another_key_than_the_signed_one_is_refused(sandbox):
    ticket, other = new_ticket(sandbox), new_ticket(sandbox)
    answer = post(ticket, form_of(ticket, key=other["clientPayload"]["key"]))
    assert answer.status_code == 403
    assert "$key" in error_of(answer)[1]
    assert status_of(sandbox, other) == "PRE-Upload"


def test_a_field_the_policy_does_not_name_is_refused(sandbox):
    ticket = new_ticket(sandbox)
    answer = post(ticket, form_of(ticket, acl="public-read"))
    assert (answer.status_code, error_of(answer)[1]) == (403, "Invalid according to Policy: Extra input fields: acl")


def test_a_policy_changed_after_signing_is_refused(sandbox):
    ticket = new_ticket(sandbox)
    longer = signed_policy(sandbox, ticket, expiration="2099-01-01T00:00:00.000Z")["policy"]
    answer = post(ticket, form_of(ticket, policy=longer))
    assert (answer.status_code, error_of(answer)[0]) == (403, "SignatureDoesNotMatch")


def test_the_signature_is_the_one_that_botocore_makes(sandbox):

    credentials = Credentials(uploads.ACCESS_KEY, uploads.bucket_secret(sandbox.context).decode())
    request = AWSRequest(method="POST", url="http://127.0.0.1/")
    fields = {}
    policy = {"expiration": "2099-01-01T00:00:00.000Z", "conditions": [{"key": "k"}]}
    request.context["s3-presign-post-fields"] = fields
    request.context["s3-presign-post-policy"] = policy
    S3SigV4PostAuth(credentials, "s3", uploads.REGION).add_auth(request)
    ours = uploads.signature(sandbox.context, fields["policy"], fields["x-amz-credential"])
    assert ours == fields["x-amz-signature"]


def test_a_foreign_access_key_is_refused(sandbox):
    ticket = new_ticket(sandbox)
    foreign = ticket["clientPayload"]["x-amz-credential"].replace(uploads.ACCESS_KEY, "AKIAELSEWHERE")
    answer = post(ticket, form_of(ticket, **{"x-amz-credential": foreign}))
    assert (answer.status_code, error_of(answer)[0]) == (403, "InvalidAccessKeyId")


def test_a_form_without_a_file_is_refused(sandbox):
    ticket = new_ticket(sandbox)
    answer = post(ticket, form_of(ticket)[:-1])
    assert (answer.status_code, error_of(answer)[0]) == (400, "InvalidArgument")


@pytest.mark.parametrize(
    ("content_type", "body"),
    [("application/octet-stream", b"x"), ("multipart/form-data; boundary=b", b"--b\r\nbroken"), ("text/plain", b"")],
)
def test_what_is_no_form_is_malformed(sandbox, content_type, body):
    link = new_ticket(sandbox)["clientPayload"]["uploadLink"]
    answer = requests.post(link, data=body, headers={"Content-Type": content_type}, timeout=5)
    assert (answer.status_code, error_of(answer)[0]) == (400, "MalformedPOSTRequest")


def test_more_than_five_gigabytes_are_refused_before_they_are_sent(sandbox):
    port = int(sandbox.url.rpartition(":")[2])
    head = (
        "POST /vdocipher/upload/ HTTP/1.1\r\nHost: sandbox\r\nContent-Type: multipart/form-data; boundary=b\r\n"
        f"Content-Length: {5 * 1024**3 + 100_000}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(head.encode())
        with connection.makefile("rb") as stream:
            answer = stream.read().decode()
    assert answer.startswith("HTTP/1.1 400")
    assert "<Code>EntityTooLarge</Code>" in answer


def test_a_file_over_the_policys_own_limit_is_too_large(sandbox):
    ticket = new_ticket(sandbox)
    policy = json.loads(base64.b64decode(ticket["clientPayload"]["policy"]))
    conditions = [*policy["conditions"][:-1], ["content-length-range", 0, 5]]
    answer = post(ticket, form_of(ticket, **signed_policy(sandbox, ticket, conditions=conditions)))
    assert (answer.status_code, error_of(answer)[0]) == (400, "EntityTooLarge")


def test_without_201_the_bucket_answers_204(sandbox):
    ticket = new_ticket(sandbox)
    assert post(ticket, form_of(ticket, success_action_status="")).status_code == 204


def test_a_browser_on_another_origin_may_upload(sandbox):
    link = new_ticket(sandbox)["clientPayload"]["uploadLink"]
    answer = requests.options(link, headers={"Origin": "http://127.0.0.1:1"}, timeout=5)
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
