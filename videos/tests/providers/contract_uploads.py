import json
from contextlib import contextmanager

import pytest
from django.utils import timezone

from sandbox.cloudflare.media import SAMPLE
from videos.providers.exceptions import Rejected
from videos.providers.types import Status, UploadRequest
from videos.tests.providers.sending import send, settle

CREDENTIALS = ("url", "upload_url", "fields", "headers")
SHORTEST_SECRET = 16


class UploadContract:
    """What every host that takes files keeps to.

    `largest_bytes` is its limit; the fixture `upload_providers` gives the provider once per kind of ticket it has, each
    configured so that a small film gets that kind.
    """

    largest_bytes: int | None = None

    @pytest.fixture
    def film(self):
        """A film that hosts really read."""
        return SAMPLE.read_bytes()

    @pytest.fixture
    def upload_providers(self, provider):
        return [provider]

    @pytest.fixture
    def importable_url(self):
        return "https://example.com/lesson.mp4"

    def work(self, provider, host_id):
        """What the host does with a file that came, where it does not begin by itself."""

    def test_an_upload_ticket_names_an_asset_that_waits(self, provider):
        with a_ticket(provider, size_bytes=1000) as ticket:
            assert provider.get_asset(ticket.host_id).status is Status.WAITING
            assert ticket.expires_at > timezone.now()
            shown = json.loads(json.dumps(ticket.as_json()))
            assert shown["kind"] == ticket.kind

    def test_two_tickets_are_for_two_assets(self, provider):
        with a_ticket(provider, size_bytes=1000) as first, a_ticket(provider, size_bytes=1000) as second:
            assert first.host_id != second.host_id

    def test_a_ticket_shows_none_of_its_credentials(self, upload_providers):
        for provider in upload_providers:
            with a_ticket(provider, size_bytes=1000) as ticket:
                values = [getattr(ticket, name, "") for name in CREDENTIALS]
                texts = [text for value in values for text in ([value] if isinstance(value, str) else value.values())]
                secrets = [text for text in texts if len(text) >= SHORTEST_SECRET and text != ticket.host_id]
                assert not any(text in repr(ticket) for text in secrets)

    def test_a_film_sent_with_a_ticket_becomes_ready(self, upload_providers, film, site):
        kinds = []
        for provider in upload_providers:
            with a_ticket(provider, size_bytes=len(film)) as ticket:
                send(ticket, film, site=site)
                self.work(provider, ticket.host_id)
                info = settle(provider, ticket.host_id)
                assert (info.status, info.failure_code) == (Status.READY, "")
                assert info.duration_s > 0
                kinds.append(ticket.kind)
        assert len(kinds) == len(set(kinds)) > 0

    def test_a_title_of_any_letters_arrives(self, upload_providers):
        for provider in upload_providers:
            with a_ticket(provider, title='Körper & "Ringe", Teil 1', size_bytes=1000) as ticket:
                assert provider.get_asset(ticket.host_id).title == 'Körper & "Ringe", Teil 1'

    def test_a_file_that_is_too_large_is_refused(self, provider):
        if self.largest_bytes is None:
            pytest.skip("this host names no limit")
        with pytest.raises(Rejected) as caught:
            provider.create_upload(make_upload(size_bytes=self.largest_bytes + 1))
        assert caught.value.code == "file_too_large"

    def test_an_import_gives_a_new_asset(self, provider, importable_url):
        if not provider.supports_import:
            pytest.skip("this host does not import")
        host_id = provider.import_url(importable_url, title="Imported")
        try:
            info = provider.get_asset(host_id)
            assert (info.host_id, info.title) == (host_id, "Imported")
            assert info.status in (Status.WAITING, Status.PROCESSING, Status.READY)
        finally:
            provider.delete(host_id)

    def test_a_renamed_asset_has_its_new_title(self, provider, deletable_id):
        if not provider.supports_rename:
            pytest.skip("this host does not rename")
        provider.rename(deletable_id, "Körper & Ringe")
        assert provider.get_asset(deletable_id).title == "Körper & Ringe"


def make_upload(**overrides):
    return UploadRequest(**{"title": "Lesson", "filename": "lesson.mp4", "content_type": "video/mp4"} | overrides)


@contextmanager
def a_ticket(provider, **overrides):
    """A ticket, whose asset is deleted afterwards."""
    if not provider.supports_upload:
        pytest.skip("this host takes no uploads")
    ticket = provider.create_upload(make_upload(**overrides))
    try:
        yield ticket
    finally:
        if provider.supports_delete:
            provider.delete(ticket.host_id)
