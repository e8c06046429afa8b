import base64
import json
from datetime import timedelta

import pytest
import requests
from django.utils import timezone

from videos.providers.exceptions import MalformedResponse, Rejected
from videos.providers.types import Status, UploadRequest
from videos.providers.vdocipher import UPLOAD_MAX_BYTES


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
