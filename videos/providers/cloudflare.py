"""Cloudflare Stream: https://developers.cloudflare.com/stream/"""

import hashlib
import ipaddress
import json
import logging
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import urlencode

from django.core.checks import CheckMessage, Error, Warning

from videos.providers import addresses, failures, http, option_checks, reading, signatures
from videos.providers import cloudflare_analytics as analytics
from videos.providers import cloudflare_uploads as uploads
from videos.providers.base import VideoProvider
from videos.providers.cloudflare_api import StreamApi, members
from videos.providers.exceptions import (
    AssetNotFound,
    MalformedResponse,
    ProviderMisconfigured,
    Rejected,
)
from videos.providers.types import (
    AssetInfo,
    CaptionFile,
    FormPostTicket,
    HostStatistics,
    HostStorage,
    HostUsage,
    IframePlayback,
    Ping,
    PlaybackRequest,
    Protection,
    Status,
    TusTicket,
    UploadRequest,
    WebhookEvent,
    WebhookKind,
)

logger = logging.getLogger(__name__)

HOST_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")
STAND_IN_TOKEN_PREFIX = "cf_sandbox_"  # noqa: S105 - only marks keys of the local stand-in
UPLOAD_MAX_BYTES = 30 * 1000**3
CAPTION_MAX_BYTES = 10 * 1000**2
# Tokens of more than 24 hours are refused; a minute is left for clocks that differ.
TOKEN_MAX_S = 24 * 3600 - 60
IFRAME_ALLOW = "accelerometer; gyroscope; autoplay; encrypted-media; fullscreen; picture-in-picture"
PLAYER_SCRIPT_URL = "https://embed.cloudflarestream.com/embed/sdk.latest.js"


@dataclass(frozen=True, kw_only=True)
class CloudflareStreamProvider(VideoProvider):
    """One Cloudflare account with Stream. Options:

    `signing_key` is the base64 `jwk` of a signing key, or its base64 `pem` with `signing_key_id` beside it;
    `customer_code` is that of the account's playback addresses (`https://customer-<CODE>.cloudflarestream.com`), and
    `playback_url` replaces such an address; `allowed_origins` are the sites that may embed new videos; `pin_ip` lets a
    token play from the viewer's address alone; `max_duration_s` is reserved from the plan until a file is processed;
    files of `form_max_bytes` or more go by tus (whether the host's 200 MB are decimal is not documented), in chunks of
    `tus_chunk_bytes`.
    """

    account_id: str = field(metadata={"variable": "CLOUDFLARE_ACCOUNT_ID"})
    api_token: str = field(repr=False, metadata={"variable": "CLOUDFLARE_STREAM_API_TOKEN"})
    signing_key: str = field(repr=False, metadata={"variable": "CLOUDFLARE_STREAM_SIGNING_KEY"})
    signing_key_id: str = ""
    customer_code: str = ""
    webhook_secret: str = field(default="", repr=False, metadata={"variable": "CLOUDFLARE_STREAM_WEBHOOK_SECRET"})
    api_url: str = "https://api.cloudflare.com/client/v4"
    playback_url: str = ""
    player_script_url: str = PLAYER_SCRIPT_URL
    allowed_origins: tuple[str, ...] = ()
    pin_ip: bool = False
    max_duration_s: int = 21600
    form_max_bytes: int = 200_000_000
    tus_chunk_bytes: int = uploads.CHUNK_BYTES

    protections: ClassVar[tuple[Protection, ...]] = (Protection.OPEN,)
    grants_locally: ClassVar[bool] = True
    supports_upload: ClassVar[bool] = True
    supports_import: ClassVar[bool] = True
    supports_rename: ClassVar[bool] = True
    supports_delete: ClassVar[bool] = True
    supports_captions: ClassVar[bool] = True
    supports_thumbnails: ClassVar[bool] = True
    supports_usage: ClassVar[bool] = True
    supports_storage: ClassVar[bool] = True
    supports_statistics: ClassVar[bool] = True
    supports_webhook: ClassVar[bool] = True
    supports_ping: ClassVar[bool] = True

    STATUSES: ClassVar[Mapping[str, Status]] = {
        "pendingupload": Status.WAITING,
        "downloading": Status.PROCESSING,
        "queued": Status.PROCESSING,
        "inprogress": Status.PROCESSING,
        "live-inprogress": Status.PROCESSING,
        # Not playable yet: readyToStream alone tells that.
        "ready": Status.PROCESSING,
        "error": Status.FAILED,
    }
    FAILURES: ClassVar[Mapping[str, str]] = {
        "ERR_NON_VIDEO": failures.NOT_A_VIDEO,
        "ERR_MALFORMED_VIDEO": failures.UNREADABLE,
        "ERR_DURATION_EXCEED_CONSTRAINT": failures.TOO_LONG,
        "ERR_DURATION_TOO_SHORT": failures.TOO_SHORT,
        "ERR_FETCH_ORIGIN_ERROR": failures.FETCH_FAILED,
    }

    @property
    def player_origins(self) -> tuple[str, ...]:
        return addresses.origins_of(self._playback_base() if self._has_playback_base() else "", self.player_script_url)

    # --- Assets ---------------------------------------------------------------------------------------------------

    def get_asset(self, host_id: str) -> AssetInfo:
        """What Stream says about one video: https://developers.cloudflare.com/api/resources/stream/"""
        data = self._video(host_id)
        told = data["status"]
        word = told["state"]
        status = self._status(word, is_ready=data.get("readyToStream") is True)
        percent = reading.number(told.get("pctComplete"))
        return AssetInfo(
            host_id=host_id,
            status=status,
            host_status=word,
            title=reading.text(members(data.get("meta")).get("name")),
            duration_s=reading.number(data.get("duration")),
            size_bytes=reading.whole_number(data.get("size")),
            failure_code=self._failure(told) if status is Status.FAILED else "",
            progress_percent=None if percent is None else min(int(percent), 100),
            raw=data,
        )

    def rename(self, host_id: str, title: str) -> None:
        """Change the name in the dashboard; whether `meta` is merged is not documented, so all of it is sent."""
        meta = members(self._video(host_id).get("meta")) | {"name": title}
        self._api.call("POST", f"/stream/{host_id}", json={"meta": meta})

    def delete(self, host_id: str) -> None:
        """Delete one video; the host answers without a body."""
        try:
            self._api.send("DELETE", f"/stream/{_checked(host_id)}")
        except AssetNotFound:
            logger.info("%s: video %r was already gone.", self.alias, host_id)

    # --- Playback -------------------------------------------------------------------------------------------------

    def get_playback(self, request: PlaybackRequest) -> IframePlayback:
        """The host's player with a token: https://developers.cloudflare.com/stream/viewing-videos/securing-your-stream/

        Signed here, without a call: whether the video exists shows in the player. Raises ProviderMisconfigured.
        """
        wanted_s = request.ttl_s
        if request.duration_s:
            wanted_s = max(wanted_s, int(request.duration_s * 1.5) + 600)
        lifetime_s = min(wanted_s, TOKEN_MAX_S)
        rules = self._pin(request) if self.pin_ip else []
        token, expires_at = self._token(request.host_id, lifetime_s, accessRules=rules)
        return IframePlayback(
            url=f"{self._playback_base()}/{token}/iframe",
            api="cloudflare-stream",
            api_url=self.player_script_url,
            allow=IFRAME_ALLOW,
            expires_at=expires_at,
        )

    def thumbnail_url(
        self, host_id: str, *, second: float, width: int | None = None, height: int | None = None, ttl_s: int = 3600
    ) -> str:
        """The address of a picture: https://developers.cloudflare.com/stream/viewing-videos/displaying-thumbnails/"""
        token, _ = self._token(host_id, min(ttl_s, TOKEN_MAX_S))
        sizes = {"width": width, "height": height}
        query = {"time": f"{int(second)}s"} | {name: value for name, value in sizes.items() if value is not None}
        return f"{self._playback_base()}/{token}/thumbnails/thumbnail.jpg?{urlencode(query)}"

    def _token(self, host_id: str, lifetime_s: int, **claims: Any) -> tuple[str, datetime]:
        key = self._key()
        expires = int(time.time()) + lifetime_s
        filled = {name: value for name, value in claims.items() if value}
        token = key.sign({"sub": _checked(host_id), "kid": key.id, "exp": expires} | filled)
        return token, datetime.fromtimestamp(expires, UTC)

    def _key(self) -> signatures.SigningKey:
        try:
            return signatures.signing_key(self.signing_key, self.signing_key_id)
        except signatures.UnreadableSigningKey as error:
            raise ProviderMisconfigured(f"{self.alias}: option 'signing_key' cannot be used: {error}.") from error

    def _pin(self, request: PlaybackRequest) -> list[dict[str, Any]]:
        """Rules that let one address play alone; without the last one, an address that fits none would be let in."""
        try:
            address = ipaddress.ip_address(addresses.ipv4_or_none(request.ip) or request.ip)
        except ValueError:
            logger.info("%s: session %s is not pinned, its viewer has no address.", self.alias, request.session_id)
            return []
        return [
            {"type": "ip.src", "action": "allow", "ip": [f"{address}/{address.max_prefixlen}"]},
            {"type": "any", "action": "block"},
        ]

    def _has_playback_base(self) -> bool:
        return bool(self.playback_url or self.customer_code)

    def _playback_base(self) -> str:
        if not self._has_playback_base():
            raise ProviderMisconfigured(f"{self.alias}: set option 'customer_code' (CLOUDFLARE_STREAM_CUSTOMER_CODE).")
        return self.playback_url.rstrip("/") or f"https://customer-{self.customer_code}.cloudflarestream.com"

    # --- Uploads --------------------------------------------------------------------------------------------------

    def create_upload(self, request: UploadRequest) -> FormPostTicket | TusTicket:
        """A one-time address to upload to, as a form or by tus, after the size of the file.

        Raises Rejected (size_required, file_too_large) before any call. The host makes a video at once, which waits.
        """
        if request.size_bytes is None:
            raise Rejected(f"{self.alias}: the size of the file must be known.", code="size_required")
        if request.size_bytes > UPLOAD_MAX_BYTES:
            raise Rejected(f"{self.alias}: files are limited to {UPLOAD_MAX_BYTES} bytes.", code="file_too_large")
        video = self._new_video(request.title or request.filename, request.creator_id)
        if request.size_bytes < self.form_max_bytes:
            return uploads.form_ticket(self._api, video)
        return uploads.tus_ticket(self._api, video, size_bytes=request.size_bytes, chunk_size=self.tus_chunk_bytes)

    def import_url(self, url: str, *, title: str) -> str:
        """Let Stream fetch a file: https://developers.cloudflare.com/stream/uploading-videos/upload-via-link/"""
        body = {"input": url} | self._new_video(title).as_json()
        host_id = members(self._api.call("POST", "/stream/copy", json=body, is_repeatable=False)).get("uid")
        if not reading.is_filled(host_id):
            raise MalformedResponse(f"{self.alias}: an import without a uid.")
        return host_id

    def _new_video(self, title: str, creator_id: str = "") -> uploads.NewVideo:
        return uploads.NewVideo(
            title=title,
            creator_id=creator_id,
            allowed_origins=tuple(self.allowed_origins),
            max_duration_s=self.max_duration_s,
        )

    # --- Captions -------------------------------------------------------------------------------------------------

    def put_caption(self, host_id: str, caption: CaptionFile) -> None:
        """https://developers.cloudflare.com/stream/edit-videos/adding-captions/"""
        content = caption.body.encode()
        if len(content) > CAPTION_MAX_BYTES:
            raise Rejected(f"{self.alias}: captions are limited to {CAPTION_MAX_BYTES} bytes.", code="caption_refused")
        files = {"file": (f"{caption.language}.vtt", content, "text/vtt")}
        try:
            self._api.call("PUT", self._caption_path(host_id, caption.language), files=files)
        except Rejected as error:
            # How the host words that it is too early is not documented, so it is asked how far the video is.
            is_early = self.get_asset(host_id).status in (Status.WAITING, Status.PROCESSING)
            code = "not_ready" if is_early else "caption_refused"
            raise Rejected(f"{self.alias}: the captions were not taken.", code=code) from error

    def delete_caption(self, host_id: str, language: str) -> None:
        try:
            self._api.send("DELETE", self._caption_path(host_id, language))
        except AssetNotFound:
            logger.info("%s: video %r had no captions in %s.", self.alias, host_id, language)

    def _caption_path(self, host_id: str, language: str) -> str:
        if not LANGUAGE.fullmatch(language):
            raise Rejected(f"{self.alias}: {language!r} is no language tag.", code="caption_refused")
        return f"/stream/{_checked(host_id)}/captions/{language}"

    # --- Figures --------------------------------------------------------------------------------------------------

    def storage(self) -> HostStorage:
        """Minutes kept, of those the plan allows."""
        result = members(self._api.call("GET", "/stream/storage-usage"))
        stored, limit = (reading.number(result.get(f"totalStorageMinutes{suffix}")) for suffix in ("", "Limit"))
        return HostStorage(
            stored_s=None if stored is None else stored * 60,
            limit_s=None if limit is None else limit * 60,
            videos=reading.whole_number(result.get("videoCount")),
        )

    def usage(self, day: date) -> list[HostUsage]:
        """Seconds delivered per video on one day; raises Rejected (range_too_old) after 90 days."""
        counted = analytics.minutes_by_video(self._api, day, day + timedelta(days=1))
        return [HostUsage(host_id=uid, day=day, delivered_s=minutes * 60) for uid, minutes in counted.items()]

    def statistics(self, since: date, until: date) -> list[HostStatistics]:
        """Seconds watched per video; raises Rejected (range_too_old) when some of it is more than 90 days ago."""
        counted = analytics.minutes_by_video(self._api, since, until)
        return [HostStatistics(host_id=uid, watched_s=minutes * 60) for uid, minutes in counted.items()]

    # --- Webhook, health, options ---------------------------------------------------------------------------------

    def parse_webhook(self, *, headers: Mapping[str, str], query: Mapping[str, str], body: bytes) -> list[WebhookEvent]:
        """The video that a hook is about: https://developers.cloudflare.com/stream/manage-video-library/using-webhooks/

        The body is the video itself and has no id of its own: the same state of the same change is the same event.
        """
        signature = signatures.header(headers, "Webhook-Signature")
        signatures.verify_timed(signature, body=body, secret=self.webhook_secret, time_name="time", digest_name="sig1")
        return [_event(self._hook_object(body))]

    def ping(self) -> Ping:
        """Ask how much is stored, which needs working credentials."""
        return self._timed(lambda: self._api.call("GET", "/stream/storage-usage", patience=http.PING))

    def check(self) -> list[CheckMessage]:
        place = f'VIDEO_PROVIDERS["{self.alias}"]'
        urls = {"api_url": self.api_url, "playback_url": self.playback_url, "player_script_url": self.player_script_url}
        messages = option_checks.insecure_addresses(place, {name: url for name, url in urls.items() if url})
        messages += option_checks.stand_in_mismatch(
            place,
            url=self.api_url,
            secret=self.api_token,
            prefix=STAND_IN_TOKEN_PREFIX,
            variables="CLOUDFLARE_STREAM_API_TOKEN and CLOUDFLARE_API_URL",
        )
        messages += self._key_problems(place)
        if not self._has_playback_base():
            hint = "It is in the address of any video in Cloudflare's dashboard: customer-<CODE>.cloudflarestream.com."
            messages.append(Error(f"{place}: set customer_code or playback_url.", hint=hint, id="videos.E005"))
        if not self.webhook_secret:
            text = f"{place}: webhook_secret is empty: hooks are refused, changes are found by polling alone."
            messages.append(Warning(text, hint="Set CLOUDFLARE_STREAM_WEBHOOK_SECRET.", id="videos.W001"))
        return messages

    def _key_problems(self, place: str) -> list[CheckMessage]:
        try:
            signatures.signing_key(self.signing_key, self.signing_key_id)
        except signatures.UnreadableSigningKey as error:
            hint = "CLOUDFLARE_STREAM_SIGNING_KEY holds the jwk as Cloudflare gave it (base64)."
            return [Error(f"{place}: signing_key cannot be used: {error}.", hint=hint, id="videos.E006")]
        return []

    # --- Reading and calling --------------------------------------------------------------------------------------

    @property
    def _api(self) -> StreamApi:
        return StreamApi(
            alias=self.alias, url=self.api_url.rstrip("/"), account_id=self.account_id, token=self.api_token
        )

    def _video(self, host_id: str) -> dict[str, Any]:
        data = self._api.call("GET", f"/stream/{_checked(host_id)}")
        if not isinstance(data, dict) or not reading.is_filled(members(data.get("status")).get("state")):
            raise MalformedResponse(f"{self.alias}: a video without a state.")
        return data

    def _status(self, word: str, *, is_ready: bool) -> Status:
        status = self.STATUSES.get(word)
        if status is None:
            logger.warning("%s: unknown state %.64r, taken as processing.", self.alias, word)
        if is_ready and status is not Status.FAILED:
            return Status.READY
        return status or Status.PROCESSING

    def _failure(self, told: Mapping[str, Any]) -> str:
        """The documents spell the member in two ways."""
        word = reading.text(told.get("errorReasonCode")) or reading.text(told.get("errReasonCode"))
        return self.FAILURES.get(word, failures.HOST_FAILED)


def _checked(host_id: str) -> str:
    """The id, once it cannot be anything but one path segment; no other text names a video."""
    if not HOST_ID.fullmatch(host_id):
        raise AssetNotFound("No video has such an id.")
    return host_id


def _event(data: Mapping[str, Any]) -> WebhookEvent:
    uid, state = reading.text(data.get("uid")), reading.text(members(data.get("status")).get("state"))
    if not HOST_ID.fullmatch(uid) or not state:
        digest = hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()
        return WebhookEvent(kind=WebhookKind.UNKNOWN, event_id=digest, host_kind=state, is_hint=False, raw=data)
    change = json.dumps([uid, state, data.get("modified")])
    return WebhookEvent(
        kind=WebhookKind.ASSET_CHANGED,
        host_id=uid,
        event_id=hashlib.sha256(change.encode()).hexdigest(),
        host_kind=state,
        is_hint=False,
        raw=data,
    )
