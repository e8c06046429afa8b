import dataclasses
import inspect
import io
import socket
from datetime import date
from urllib.parse import urljoin

import pytest
import requests
from django.core.checks import ERROR
from django.utils import timezone

from videos.providers import failures, http
from videos.providers.base import VideoProvider
from videos.providers.exceptions import AssetNotFound, UnsupportedOperation
from videos.providers.types import AssetInfo, CaptionFile, PlaybackRequest, Protection, Status, UploadRequest, Viewer
from videos.tests.providers.contract_extras import CaptionContract, FigureContract, PictureContract
from videos.tests.providers.contract_uploads import UploadContract
from videos.tests.providers.contract_webhooks import WebhookContract

ARGUMENTS = {
    "create_upload": {"request": UploadRequest(title="Lesson", filename="lesson.mp4")},
    "receive_file": {"host_id": "unknown", "file": io.BytesIO(b"film"), "size_bytes": 4},
    "import_url": {"url": "https://example.com/lesson.mp4", "title": "Lesson"},
    "retranscode": {"host_id": "unknown"},
    "preparation": {"host_id": "unknown"},
    "rename": {"host_id": "unknown", "title": "Lesson"},
    "delete": {"host_id": "unknown"},
    "put_caption": {"host_id": "unknown", "caption": CaptionFile(language="en", label="English", body="WEBVTT\n")},
    "delete_caption": {"host_id": "unknown", "language": "en"},
    "thumbnail_url": {"host_id": "unknown", "second": 1.0},
    "usage": {"day": date(2026, 1, 18)},
    "storage": {},
    "statistics": {"since": date(2026, 1, 1), "until": date(2026, 1, 18)},
    "workload": {},
    "parse_webhook": {"headers": {}, "query": {}, "body": b""},
    "ping": {},
}


def make_viewer(**overrides):
    return Viewer(
        **{"id": "7", "name": "Ada", "email": "ada@example.com", "watermark": "Ada (ada@example.com)"} | overrides
    )


def make_request(host_id, **overrides):
    values = {"host_id": host_id, "viewer": make_viewer(), "session_id": "session-1", "ip": "203.0.113.7"}
    return PlaybackRequest(**values | overrides)


class ProviderContract(UploadContract, CaptionContract, PictureContract, FigureContract, WebhookContract):
    """What every provider keeps to. A subclass gives the fixtures `provider`, `ready_id`, a playable video, and
    `deletable_id`, any video; the parts say what else they want to know of a host that has them.

    `is_served` tells whether the addresses of its players can really be opened.
    """

    unknown_id = "0" * 32
    secrets: tuple[str, ...] = ()
    is_served = True

    @pytest.fixture
    def site(self):
        """Scheme and host of this server, where a host's addresses are paths of it."""
        return ""

    def request_for(self, host_id, **overrides):
        """The request for a viewing that the host may let begin."""
        return make_request(host_id, **overrides)

    @pytest.fixture
    def deletable_ready_id(self, ready_id):
        """A playable video whose captions may be changed."""
        return ready_id

    @pytest.fixture
    def waiting_id(self, provider):
        """A video whose file has not come."""
        if not provider.supports_upload:
            pytest.skip("this host takes no uploads")
        return provider.create_upload(UploadRequest(title="Lesson", filename="lesson.mp4", size_bytes=1000)).host_id

    @pytest.fixture
    def failed_id(self):
        """A video that the host could not process."""
        pytest.skip("no failed video is at hand")

    @pytest.fixture
    def remote_calls(self, monkeypatch):
        """The addresses that are connected to from now on."""
        asked = []
        connect = socket.socket.connect
        monkeypatch.setattr(
            socket.socket, "connect", lambda own, address: (asked.append(address), connect(own, address))
        )
        http.reset()
        return asked

    def test_every_optional_method_has_a_flag(self, provider):
        required = {"get_asset", "get_playback", "check", "protection_for"}
        public = {name for name, _ in inspect.getmembers(VideoProvider, inspect.isfunction) if not name.startswith("_")}
        optional = {name for names in VideoProvider.METHODS_BY_FLAG.values() for name in names}
        assert optional == public - required
        flags = {name for name in dir(VideoProvider) if name.startswith("supports_")}
        assert flags == set(VideoProvider.METHODS_BY_FLAG)

    @pytest.mark.parametrize("flag", VideoProvider.METHODS_BY_FLAG)
    def test_a_flag_says_whether_its_methods_are_there(self, provider, flag):
        for method in VideoProvider.METHODS_BY_FLAG[flag]:
            is_there = getattr(type(provider), method) is not getattr(VideoProvider, method)
            assert getattr(provider, flag) == is_there
            if not is_there:
                with pytest.raises(UnsupportedOperation):
                    getattr(provider, method)(**ARGUMENTS[method])

    def test_a_provider_is_a_frozen_value(self, provider):
        with pytest.raises(dataclasses.FrozenInstanceError):
            provider.alias = "other"

    def test_no_secret_is_shown(self, provider):
        assert not any(secret in repr(provider) for secret in self.secrets)

    def test_it_says_how_it_protects(self, provider):
        assert provider.protections
        assert all(isinstance(protection, Protection) for protection in provider.protections)

    def test_a_ready_asset_is_described_in_our_words(self, provider, ready_id):
        info = provider.get_asset(ready_id)
        assert isinstance(info, AssetInfo)
        assert (info.host_id, info.status) == (ready_id, Status.READY)
        assert info.duration_s > 0
        assert info.raw

    def test_an_unknown_asset_is_not_found(self, provider):
        with pytest.raises(AssetNotFound):
            provider.get_asset(self.unknown_id)

    def test_a_failed_asset_says_why_in_our_words(self, provider, failed_id):
        info = provider.get_asset(failed_id)
        assert info.status is Status.FAILED
        assert info.failure_code in failures.REASONS

    def test_every_failure_has_a_reason(self, provider):
        assert set(getattr(provider, "FAILURES", {}).values()) <= set(failures.REASONS)

    def test_its_own_options_pass_the_check(self, provider):
        assert [message for message in provider.check() if message.level >= ERROR] == []

    def test_an_unknown_asset_cannot_be_played(self, provider, site):
        """A host that grants without asking finds out only when the player comes."""
        try:
            playback = provider.get_playback(self.request_for(self.unknown_id))
        except AssetNotFound:
            return
        assert provider.grants_locally
        assert not self.is_served or requests.get(urljoin(site, address_of(playback)), timeout=20).status_code >= 400

    def test_an_id_that_is_no_id_is_not_found(self, provider):
        with pytest.raises(AssetNotFound):
            provider.get_playback(self.request_for("../" + self.unknown_id))

    def test_a_player_opens_at_the_address(self, provider, ready_id, site):
        if not self.is_served:
            pytest.skip("nobody serves this host")
        playback = provider.get_playback(self.request_for(ready_id))
        page = urljoin(site, address_of(playback))
        assert requests.get(page, timeout=20).status_code == 200
        assert any(page.startswith(origin) for origin in (*provider.player_origins, *([site] if site else [])))

    def test_playback_has_a_kind_an_end_and_an_address(self, provider, ready_id, site):
        before = timezone.now()
        playback = provider.get_playback(self.request_for(ready_id, ttl_s=300))
        assert playback.kind in ("vdocipher", "hls", "iframe", "file")
        assert 290 < (playback.expires_at - before).total_seconds() < 310
        address = address_of(playback)
        assert urljoin(site, address).startswith("http")
        assert address not in repr(playback)

    def test_it_says_whether_it_plays_by_one_time_passwords(self, provider, ready_id):
        assert provider.plays_by_otp == (provider.get_playback(self.request_for(ready_id)).kind == "vdocipher")

    def test_it_says_whether_it_grants_without_a_remote_call(self, provider, ready_id, remote_calls):
        provider.get_playback(self.request_for(ready_id))
        assert provider.grants_locally == (not remote_calls)

    def test_deleting_twice_is_no_error(self, provider, deletable_id):
        if not provider.supports_delete:
            pytest.skip("this host cannot delete")
        provider.delete(deletable_id)
        provider.delete(deletable_id)
        with pytest.raises(AssetNotFound):
            provider.get_asset(deletable_id)

    def test_a_ping_reaches_it(self, provider):
        if not provider.supports_ping:
            pytest.skip("this host cannot be pinged")
        ping = provider.ping()
        assert (ping.is_reachable, ping.error_code) == (True, "")
        assert ping.response_ms > 0


def address_of(playback):
    """What a browser opens for it."""
    return playback.as_json().get("embed_url") or playback.as_json()["url"]
