"""Bunny Stream: https://docs.bunny.net/stream/"""

import hashlib
import hmac
import logging
import mimetypes
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import urlencode

from django.core.checks import CheckMessage, Warning

from videos.providers import addresses, failures, http, option_checks, reading, signatures
from videos.providers.base import VideoProvider
from videos.providers.exceptions import AssetNotFound, MalformedResponse, WebhookRejected
from videos.providers.types import (
    AssetInfo,
    IframePlayback,
    Ping,
    PlaybackRequest,
    Status,
    TusTicket,
    UploadRequest,
    WebhookEvent,
    WebhookKind,
)

logger = logging.getLogger(__name__)

HOST_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
STAND_IN_KEY_PREFIX = "bunny_sandbox_"
CHUNK_BYTES = 52_428_800
# The signature must outlive the upload, however slow it is: https://docs.bunny.net/stream/tus-resumable-uploads
TUS_LIFETIME = timedelta(hours=24)
TOKEN_MAX_S = 24 * 3600
TRANSCODING = 3


@dataclass(frozen=True, kw_only=True)
class BunnyStreamProvider(VideoProvider):
    """One video library at Bunny. Options:

    `api_key`, `token_key` and `webhook_key` are three keys of the library: its API key, its token authentication key
    (which signs playback; the library must demand tokens), and its read-only API key (which Bunny signs hooks with).
    """

    library_id: str = field(metadata={"variable": "BUNNY_LIBRARY_ID"})
    api_key: str = field(repr=False, metadata={"variable": "BUNNY_STREAM_API_KEY"})
    token_key: str = field(repr=False, metadata={"variable": "BUNNY_TOKEN_KEY"})
    webhook_key: str = field(default="", repr=False, metadata={"variable": "BUNNY_READ_ONLY_API_KEY"})
    api_url: str = "https://video.bunnycdn.com"
    player_url: str = "https://iframe.mediadelivery.net/embed"
    player_script_url: str = "https://assets.mediadelivery.net/playerjs/playerjs-latest.min.js"

    grants_locally: ClassVar[bool] = True
    supports_upload: ClassVar[bool] = True
    supports_rename: ClassVar[bool] = True
    supports_delete: ClassVar[bool] = True
    supports_webhook: ClassVar[bool] = True
    supports_ping: ClassVar[bool] = True

    # The API's own numbers; those in hooks mean other things: https://docs.bunny.net/reference/video_getvideo
    STATUSES: ClassVar[Mapping[int, Status]] = {
        0: Status.WAITING,
        1: Status.PROCESSING,
        2: Status.PROCESSING,
        TRANSCODING: Status.PROCESSING,
        4: Status.READY,
        5: Status.FAILED,
        6: Status.FAILED,
    }
    FAILURES: ClassVar[Mapping[int, str]] = {5: failures.UNREADABLE, 6: failures.NEVER_UPLOADED}
    # 0 to 5 tell of processing, 6 to 8 of uploads by tus; texts made by the host change nothing here.
    # https://docs.bunny.net/docs/stream-webhook
    WEBHOOK_KINDS: ClassVar[Mapping[int, WebhookKind]] = dict.fromkeys(range(9), WebhookKind.ASSET_CHANGED)

    @property
    def player_origins(self) -> tuple[str, ...]:
        return addresses.origins_of(self.player_url, self.player_script_url)

    # --- Assets ---------------------------------------------------------------------------------------------------

    def get_asset(self, host_id: str) -> AssetInfo:
        """What Bunny says about one video: https://docs.bunny.net/reference/video_getvideo"""
        data = self._object(self._call("GET", _path(host_id)))
        number = data.get("status")
        if not isinstance(number, int) or isinstance(number, bool):
            raise MalformedResponse(f"{self.alias}: a video without a status.")
        percent = reading.number(data.get("encodeProgress"))
        status = self._status(number, percent)
        return AssetInfo(
            host_id=host_id,
            status=status,
            host_status=str(number),
            title=reading.text(data.get("title")),
            duration_s=reading.number(data.get("length")) or None,
            size_bytes=reading.whole_number(data.get("storageSize")) or None,
            failure_code=self.FAILURES.get(number, failures.HOST_FAILED) if status is Status.FAILED else "",
            progress_percent=None if percent is None else min(int(percent), 100),
            raw=data,
        )

    def rename(self, host_id: str, title: str) -> None:
        self._call("POST", _path(host_id), json={"title": title})

    def delete(self, host_id: str) -> None:
        try:
            self._call("DELETE", _path(host_id))
        except AssetNotFound:
            logger.info("%s: video %r was already gone.", self.alias, host_id)

    # --- Playback -------------------------------------------------------------------------------------------------

    def get_playback(self, request: PlaybackRequest) -> IframePlayback:
        """The host's player with a token: https://docs.bunny.net/stream/token-authentication

        Signed here, without a call: whether the video exists shows in the player.
        """
        wanted_s = request.ttl_s
        if request.duration_s:
            wanted_s = max(wanted_s, int(request.duration_s * 1.5) + 600)
        expires = int(time.time()) + min(wanted_s, TOKEN_MAX_S)
        token = _digest(self.token_key, _checked(request.host_id), str(expires))
        query = urlencode({"token": token, "expires": expires})
        return IframePlayback(
            url=f"{self.player_url.rstrip('/')}/{self.library_id}/{request.host_id}?{query}",
            api="playerjs",
            api_url=self.player_script_url,
            expires_at=datetime.fromtimestamp(expires, UTC),
        )

    # --- Uploads --------------------------------------------------------------------------------------------------

    def create_upload(self, request: UploadRequest) -> TusTicket:
        """A signed place for one resumable upload: https://docs.bunny.net/stream/tus-resumable-uploads

        The host makes a video at once, which waits, whether or not a file follows.
        """
        title = request.title or request.filename
        host_id = reading.text(self._object(self._call("POST", "", json={"title": title})).get("guid"))
        if not HOST_ID.fullmatch(host_id):
            raise MalformedResponse(f"{self.alias}: a new video without a guid.")
        expires = int(time.time() + TUS_LIFETIME.total_seconds())
        return TusTicket(
            host_id=host_id,
            endpoint=f"{self.api_url.rstrip('/')}/tusupload",
            headers={
                "AuthorizationSignature": _digest(self.library_id, self.api_key, str(expires), host_id),
                "AuthorizationExpire": str(expires),
                "LibraryId": self.library_id,
                "VideoId": host_id,
            },
            metadata={"filetype": _content_type(request), "title": title},
            chunk_size=CHUNK_BYTES,
            expires_at=datetime.fromtimestamp(expires, UTC),
        )

    # --- Webhook, health, options ---------------------------------------------------------------------------------

    def parse_webhook(self, *, headers: Mapping[str, str], query: Mapping[str, str], body: bytes) -> list[WebhookEvent]:
        """The video that a hook is about: https://docs.bunny.net/stream/webhooks

        The signature covers no time, so an old hook proves itself for ever: what it says may be long past.
        """
        if not self.webhook_key:
            raise WebhookRejected(f"{self.alias}: no webhook key is set.", code="unconfigured")
        signature = signatures.header(headers, "X-BunnyStream-Signature").encode("utf-8", "surrogatepass")
        expected = hmac.new(self.webhook_key.encode(), body, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(expected.encode(), signature):
            raise WebhookRejected(f"{self.alias}: the signature does not match.")
        return [self._event(self._hook_object(body))]

    def ping(self) -> Ping:
        """Ask for one row of the list of videos, which needs a working key."""
        return self._timed(lambda: self._call("GET", "", params={"itemsPerPage": "1"}, patience=http.PING))

    def check(self) -> list[CheckMessage]:
        place = f'VIDEO_PROVIDERS["{self.alias}"]'
        urls = {"api_url": self.api_url, "player_url": self.player_url, "player_script_url": self.player_script_url}
        messages = option_checks.insecure_addresses(place, urls)
        messages += option_checks.stand_in_mismatch(
            place,
            url=self.api_url,
            secret=self.api_key,
            prefix=STAND_IN_KEY_PREFIX,
            variables="BUNNY_STREAM_API_KEY and BUNNY_API_URL",
        )
        if not self.webhook_key:
            messages.append(
                Warning(
                    f"{place}: webhook_key is empty: hooks are refused, new videos are found by polling alone.",
                    hint="Set BUNNY_READ_ONLY_API_KEY to the read-only API key of the library.",
                    id="videos.W001",
                )
            )
        return messages

    # --- Reading and calling --------------------------------------------------------------------------------------

    def _call(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        json: Mapping[str, Any] | None = None,
        patience: http.Patience = http.BACKGROUND,
    ) -> Any:
        return http.fetch_json(
            http.HostCall(
                alias=self.alias,
                method=method,
                url=f"{self.api_url.rstrip('/')}/library/{self.library_id}/videos{path}",
                headers={"AccessKey": self.api_key, "Accept": "application/json"},
                params=params or {},
                json=json,
                patience=patience,
            )
        )

    def _object(self, answer: Any) -> dict[str, Any]:
        if not isinstance(answer, dict):
            raise MalformedResponse(f"{self.alias}: an answer that is not an object.")
        return answer

    def _status(self, number: int, percent: float | None) -> Status:
        # In hooks 3 means finished, in the API transcoding; with nothing left to encode both are the same.
        if number == TRANSCODING and percent is not None and percent >= 100:
            return Status.READY
        status = self.STATUSES.get(number)
        if status is None:
            logger.warning("%s: unknown status %d, taken as processing.", self.alias, number)
        return status or Status.PROCESSING

    def _event(self, data: Mapping[str, Any]) -> WebhookEvent:
        number, host_id = data.get("Status"), reading.text(data.get("VideoGuid"))
        is_ours = str(data.get("VideoLibraryId")) == self.library_id and HOST_ID.fullmatch(host_id)
        kind = None
        if is_ours and isinstance(number, int) and not isinstance(number, bool):
            kind = self.WEBHOOK_KINDS.get(number)
        return WebhookEvent(
            kind=kind or WebhookKind.UNKNOWN,
            host_id=host_id if kind else "",
            host_kind=str(number)[:64],
            is_hint=False,
            raw=data,
        )


def _path(host_id: str) -> str:
    return f"/{_checked(host_id)}"


def _checked(host_id: str) -> str:
    """The id, once it cannot be anything but one path segment; no other text names a video."""
    if not HOST_ID.fullmatch(host_id):
        raise AssetNotFound("No video has such an id.")
    return host_id


def _digest(*parts: str) -> str:
    return hashlib.sha256("".join(parts).encode()).hexdigest()


def _content_type(request: UploadRequest) -> str:
    return request.content_type or mimetypes.guess_type(request.filename)[0] or "video/mp4"
