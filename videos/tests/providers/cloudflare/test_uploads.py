import json
from datetime import timedelta

import pytest
from django.utils import timezone

from videos.providers.cloudflare import UPLOAD_MAX_BYTES
from videos.providers.exceptions import (
    MalformedResponse,
    Rejected,
)
from videos.providers.types import UploadRequest
from videos.tests.providers.contract_uploads import make_upload


@pytest.mark.parametrize(
    ("size_bytes", "kind"),
    [(1, "form_post"), (199_999_999, "form_post"), (200_000_000, "tus"), (UPLOAD_MAX_BYTES, "tus")],
)
def test_a_large_file_goes_by_tus(provider, size_bytes, kind):
    ticket = provider.create_upload(make_upload(size_bytes=size_bytes))
    assert ticket.kind == kind
    lifetime = ticket.expires_at - timezone.now()
    assert timedelta(minutes=50) < lifetime < timedelta(hours=6)


@pytest.mark.parametrize(("size_bytes", "code"), [(None, "size_required"), (UPLOAD_MAX_BYTES + 1, "file_too_large")])
def test_a_file_of_the_wrong_size_is_refused_before_the_call(provider, sandbox, size_bytes, code):
    with pytest.raises(Rejected) as caught:
        provider.create_upload(make_upload(size_bytes=size_bytes))
    assert (caught.value.code, sandbox.calls("cloudflare")) == (code, [])


@pytest.mark.parametrize("size_bytes", [1000, 200_000_000])
def test_every_new_video_demands_tokens_and_names_its_creator(configured, sandbox, size_bytes):
    provider = configured(allowed_origins=["example.com", "*.example.com"], max_duration_s=600)
    request = make_upload(title="Körper", size_bytes=size_bytes, creator_id="user-42")
    video = provider.get_asset(provider.create_upload(request).host_id).raw
    assert video["requireSignedURLs"] is True
    assert (video["creator"], video["meta"]["name"]) == ("user-42", "Körper")
    assert (video["allowedOrigins"], video["maxDurationSeconds"]) == (["example.com", "*.example.com"], 600)
    assert video["uploadExpiry"]


@pytest.mark.parametrize("creator_id", ["x" * 65, "jürgen", "a\nb"])
def test_a_creator_s_long_id_becomes_a_digest(provider, creator_id):
    for size_bytes in (1000, 200_000_000):
        ticket = provider.create_upload(make_upload(size_bytes=size_bytes, creator_id=creator_id))
        creator = provider.get_asset(ticket.host_id).raw["creator"]
        assert len(creator) == 64
        assert creator.isalnum()


def test_a_file_without_a_title_is_named_after_itself(provider):
    ticket = provider.create_upload(UploadRequest(title="", filename="zoo.mp4", size_bytes=10))
    assert provider.get_asset(ticket.host_id).title == "zoo.mp4"


@pytest.mark.parametrize("missing", ["result", "result.uid", "result.uploadURL"])
def test_a_reservation_without_a_part_is_malformed(provider, sandbox, missing):
    sandbox.fault(service="cloudflare", path=".*/direct_upload", missing=[missing])
    with pytest.raises(MalformedResponse):
        provider.create_upload(make_upload(size_bytes=10))


def test_a_tus_answer_without_an_address_is_malformed(provider, sandbox):
    sandbox.fault(service="cloudflare", path=".*/stream", status=200, body="")
    with pytest.raises(MalformedResponse):
        provider.create_upload(make_upload(size_bytes=200_000_000))


def test_an_import_is_protected_and_not_repeated(provider, sandbox):
    sandbox.fault(service="cloudflare", path=".*/stream/copy", drop=True, times=0)
    with pytest.raises(Exception, match="connection failed"):
        provider.import_url("https://example.com/zoo.mp4", title="Zoo")
    calls = sandbox.calls("cloudflare")
    assert len(calls) == 1
    body = json.loads(calls[0]["body"])
    assert body == {"input": "https://example.com/zoo.mp4", "meta": {"name": "Zoo"}, "requireSignedURLs": True}
