from datetime import timedelta
from urllib.parse import urljoin

import pytest
import requests
from django.utils import timezone

from videos.providers.exceptions import AssetNotFound, Rejected
from videos.providers.types import CaptionFile, HostStatistics, HostStorage, HostUsage

CUE = "WEBVTT\n\n00:00.000 --> 00:02.000\n{}\n"


def make_caption(language="en", text="Hello & 你好", **overrides):
    return CaptionFile(**{"language": language, "label": language.upper(), "body": CUE.format(text)} | overrides)


class CaptionContract:
    """What every host that keeps captions keeps to. A subclass says in `captions_of` what the host has: languages in
    order, once per file."""

    def captions_of(self, provider, host_id):
        pytest.skip("this host keeps no captions")

    def test_captions_in_a_language_replace_one_another(self, provider, deletable_ready_id):
        for caption in (make_caption("en"), make_caption("de"), make_caption("en", "Good day")):
            require(provider.supports_captions, "this host keeps no captions")
            provider.put_caption(deletable_ready_id, caption)
        assert self.captions_of(provider, deletable_ready_id) == ["de", "en"]

    def test_deleting_captions_twice_is_no_error(self, provider, deletable_ready_id):
        require(provider.supports_captions, "this host keeps no captions")
        for language in ("en", "de"):
            provider.put_caption(deletable_ready_id, make_caption(language))
        for _ in range(2):
            provider.delete_caption(deletable_ready_id, "en")
        assert self.captions_of(provider, deletable_ready_id) == ["de"]

    def test_captions_of_an_unknown_asset(self, provider):
        require(provider.supports_captions, "this host keeps no captions")
        with pytest.raises(AssetNotFound):
            provider.put_caption(self.unknown_id, make_caption())
        provider.delete_caption(self.unknown_id, "en")

    def test_captions_come_too_early_while_the_file_does_not(self, provider, waiting_id):
        require(provider.supports_captions, "this host keeps no captions")
        with pytest.raises(Rejected) as caught:
            provider.put_caption(waiting_id, make_caption())
        assert caught.value.code == "not_ready"

    @pytest.mark.parametrize("overrides", [{"language": "../x"}, {"language": ""}, {"body": "no captions at all"}])
    def test_captions_that_are_none_are_refused(self, provider, deletable_ready_id, overrides):
        require(provider.supports_captions, "this host keeps no captions")
        with pytest.raises(Rejected) as caught:
            provider.put_caption(deletable_ready_id, make_caption(**overrides))
        assert caught.value.code == "caption_refused"


class PictureContract:
    """What every host with pictures of any second keeps to."""

    def test_the_address_of_a_picture_answers_a_picture(self, provider, ready_id, site):
        require(provider.supports_thumbnails, "this host has no pictures")
        for sizes in ({}, {"width": 160}, {"width": 160, "height": 90}):
            address = provider.thumbnail_url(ready_id, second=1.5, **sizes)
            answer = requests.get(urljoin(site, address), timeout=20)
            assert (answer.status_code, answer.headers["Content-Type"].split("/")[0]) == (200, "image")

    def test_a_picture_s_address_waits_for_nobody(self, provider, ready_id, remote_calls):
        require(provider.supports_thumbnails, "this host has no pictures")
        addresses = {provider.thumbnail_url(ready_id, second=second) for second in (0, 10)}
        assert len(addresses) == 2
        assert not remote_calls

    def test_no_picture_has_an_id_that_is_none(self, provider):
        require(provider.supports_thumbnails, "this host has no pictures")
        with pytest.raises(AssetNotFound):
            provider.thumbnail_url("../x", second=1)


class FigureContract:
    """The shapes of what hosts tell about usage."""

    def test_a_day_s_usage_is_told_by_asset(self, provider):
        require(provider.supports_usage, "this host tells no usage")
        day = timezone.now().date() - timedelta(days=2)
        rows = provider.usage(day)
        assert all(isinstance(row, HostUsage) and row.host_id and row.day == day for row in rows)
        assert len({row.host_id for row in rows}) == len(rows)

    def test_storage_is_told_of_the_account(self, provider):
        require(provider.supports_storage, "this host tells no storage")
        storage = provider.storage()
        assert isinstance(storage, HostStorage)
        assert storage.stored_s is not None or storage.stored_bytes is not None

    def test_statistics_are_told_by_asset(self, provider):
        require(provider.supports_statistics, "this host tells no statistics")
        today = timezone.now().date()
        rows = provider.statistics(today - timedelta(days=40), today)
        assert all(isinstance(row, HostStatistics) and row.host_id for row in rows)
        assert len({row.host_id for row in rows}) == len(rows)
        assert provider.statistics(today, today) == []


def require(is_supported, reason):
    if not is_supported:
        pytest.skip(reason)
