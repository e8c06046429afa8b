"""VdoCipher, API v3: https://www.vdocipher.com/docs/server/"""

import hashlib
import hmac
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, ClassVar
from urllib.parse import urlencode

from django.core.checks import CheckMessage, Error, Warning
from django.utils import timezone

from videos.providers import (
    addresses,
    failures,
    http,
    option_checks,
    reading,
    vdocipher_reading,
    vdocipher_usage,
    watermark,
)
from videos.providers.base import VideoProvider
from videos.providers.exceptions import (
    AssetNotFound,
    CredentialsRejected,
    MalformedResponse,
    ProviderUnavailable,
    Rejected,
    VideoProviderError,
    WebhookRejected,
)
from videos.providers.types import (
    AssetInfo,
    CaptionFile,
    FormPostTicket,
    HostUsage,
    Ping,
    PlaybackRequest,
    Protection,
    Status,
    UploadRequest,
    VdoCipherPlayback,
    WebhookEvent,
    WebhookKind,
)

logger = logging.getLogger(__name__)

UPLOAD_MAX_BYTES = 5 * 1024**3
UPLOAD_TICKET_LIFETIME = timedelta(hours=1)
USER_ID = re.compile(r"[A-Za-z0-9_-]{1,36}")
HOST_ID = re.compile(r"[A-Za-z0-9_-]{1,255}")
LANGUAGE = re.compile(r"[a-z]{2}")
STAND_IN_SECRET_PREFIX = "vdo_sandbox_"  # noqa: S105 - only marks keys of the local stand-in


@dataclass(frozen=True, kw_only=True)
class VdoCipherProvider(VideoProvider):
    """One VdoCipher account. Options:

    `pin_ip` lets an OTP play from the viewer's IPv4 address alone; `whitelist_href` is a pattern that the embedding
    page's host name must match (escape dots, name www and staging hosts); `watermark_style` overrides members of
    `videos.providers.watermark.STYLE`; `folder_id` receives uploads; `webhook_secret` is the `token` in the address
    that the hook is registered with.
    """

    api_secret: str = field(repr=False, metadata={"variable": "VIDEO_SERVICE_SECRET_KEY"})
    api_url: str = "https://dev.vdocipher.com/api"
    player_url: str = "https://player.vdocipher.com/v2/"
    webhook_secret: str = field(default="", repr=False, metadata={"variable": "VDOCIPHER_WEBHOOK_SECRET"})
    pin_ip: bool = False
    whitelist_href: str = ""
    watermark_style: Mapping[str, str] = field(default_factory=dict)
    folder_id: str = "root"

    protections: ClassVar[tuple[Protection, ...]] = (Protection.DRM,)
    plays_by_otp: ClassVar[bool] = True
    supports_upload: ClassVar[bool] = True
    supports_import: ClassVar[bool] = True
    supports_rename: ClassVar[bool] = True
    supports_delete: ClassVar[bool] = True
    supports_captions: ClassVar[bool] = True
    supports_usage: ClassVar[bool] = True
    supports_webhook: ClassVar[bool] = True
    supports_ping: ClassVar[bool] = True

    # Lower case: the documents say "Pre-Upload", the service "PRE-Upload".
    # https://www.vdocipher.com/docs/server/upload/status
    STATUSES: ClassVar[Mapping[str, Status]] = {
        "pre-upload": Status.WAITING,
        "queued": Status.PROCESSING,
        "processing": Status.PROCESSING,
        "ready": Status.READY,
        "encoding error": Status.FAILED,
        "not a media file": Status.FAILED,
        "failed": Status.FAILED,
    }
    FAILURES: ClassVar[Mapping[str, str]] = {
        "encoding error": failures.UNREADABLE,
        "not a media file": failures.NOT_A_VIDEO,
    }
    WEBHOOK_KINDS: ClassVar[Mapping[str, WebhookKind]] = {
        "video:ready": WebhookKind.ASSET_CHANGED,
        "video:readyall": WebhookKind.ASSET_CHANGED,
    }
    # Statuses per error are not published, so these texts decide where the status does not.
    MESSAGES: ClassVar[Mapping[str, type[VideoProviderError]]] = {
        "bad formatting of authorization header": CredentialsRejected,
        "video not found": AssetNotFound,
        "internal server error": ProviderUnavailable,
    }

    @property
    def player_origins(self) -> tuple[str, ...]:
        return addresses.origins_of(self.player_url)

    # --- Assets ---------------------------------------------------------------------------------------------------

    def get_asset(self, host_id: str) -> AssetInfo:
        """What VdoCipher says about one video: https://www.vdocipher.com/docs/server/upload/status"""
        data = self._object(self._call("GET", f"/videos/{_checked(host_id)}"))
        word = data.get("status")
        if not isinstance(word, str) or not word:
            raise MalformedResponse(f"{self.alias}: a video without a status.")
        status = self._status(word)
        return AssetInfo(
            host_id=host_id,
            status=status,
            host_status=word,
            title=reading.text(data.get("title")),
            duration_s=reading.number(data.get("length")),
            size_bytes=reading.whole_number(data.get("totalSizeBytes")),
            poster_url=vdocipher_reading.largest_poster(data.get("posters")),
            failure_code=self._failure(word) if status is Status.FAILED else "",
            raw=data,
        )

    def rename(self, host_id: str, title: str) -> None:
        """Change the title in VdoCipher's dashboard."""
        self._call("POST", f"/videos/{_checked(host_id)}", json={"title": title})

    def delete(self, host_id: str) -> None:
        """Delete one video; the answer for an unknown one is 200 as well, with "0 videos"."""
        try:
            self._call("DELETE", "/videos", params={"videos": _checked(host_id)})
        except AssetNotFound:
            logger.info("%s: video %r was already gone.", self.alias, host_id)

    # --- Playback -------------------------------------------------------------------------------------------------

    def get_playback(self, request: PlaybackRequest) -> VdoCipherPlayback:
        """A one-time password: https://www.vdocipher.com/docs/server/playbackauth/

        Raises Rejected (not_playable) when the host gives none, as for a video that is not ready.
        """
        asked_at = timezone.now()
        path = f"/videos/{_checked(request.host_id)}/otp"
        try:
            data = self._object(self._call("POST", path, json=self._otp_body(request), patience=http.VIEWER))
        except Rejected as error:
            raise self._not_playable() from error
        otp, playback_info = data.get("otp"), data.get("playbackInfo")
        if not reading.is_filled(otp) and reading.is_filled(data.get("message")):
            raise self._not_playable()
        if not reading.is_filled(otp) or not reading.is_filled(playback_info):
            raise MalformedResponse(f"{self.alias}: an OTP answer without otp or playbackInfo.")
        separator = "&" if "?" in self.player_url else "?"
        return VdoCipherPlayback(
            otp=otp,
            playback_info=playback_info,
            embed_url=self.player_url + separator + urlencode({"otp": otp, "playbackInfo": playback_info}),
            expires_at=asked_at + timedelta(seconds=request.ttl_s),
        )

    def _not_playable(self) -> Rejected:
        return Rejected(f"{self.alias}: no OTP for this video.", code="not_playable")

    def _otp_body(self, request: PlaybackRequest) -> dict[str, Any]:
        body: dict[str, Any] = {"ttl": request.ttl_s}
        if request.viewer.watermark:
            body["annotate"] = watermark.annotate(request.viewer.watermark, self.watermark_style)
        if request.viewer.id:
            body["userId"] = _user_id(request.viewer.id)
        if self.whitelist_href:
            body["whitelisthref"] = self.whitelist_href
        if self.pin_ip:
            body |= self._pin(request)
        return body

    def _pin(self, request: PlaybackRequest) -> dict[str, Any]:
        """IPv4 alone can be pinned: https://www.vdocipher.com/docs/server/playbackauth/ipgeo"""
        address = addresses.ipv4_or_none(request.ip)
        if address is None:
            logger.info("%s: session %s is not pinned, its viewer has no IPv4 address.", self.alias, request.session_id)
            return {}
        return {"ipGeo": {"allow": [address]}}

    # --- Uploads --------------------------------------------------------------------------------------------------

    def create_upload(self, request: UploadRequest) -> FormPostTicket:
        """Credentials for one form upload to VdoCipher's bucket: https://www.vdocipher.com/docs/server/upload/

        The call creates a video in state PRE-Upload at once, whether or not a file follows.
        """
        if request.size_bytes is not None and request.size_bytes > UPLOAD_MAX_BYTES:
            raise Rejected(f"{self.alias}: files are limited to {UPLOAD_MAX_BYTES} bytes.", code="file_too_large")
        params = {"title": request.title or request.filename, "folderId": self.folder_id}
        data = self._object(self._call("PUT", "/videos", params=params))
        host_id, payload = data.get("videoId"), data.get("clientPayload")
        if (
            not reading.is_filled(host_id)
            or not isinstance(payload, dict)
            or not reading.is_filled(payload.get("uploadLink"))
        ):
            raise MalformedResponse(f"{self.alias}: upload credentials without videoId or uploadLink.")
        fields = {name: value for name, value in payload.items() if name != "uploadLink" and isinstance(value, str)}
        # The policy demands the redirect field, empty as it is: https://www.vdocipher.com/docs/server/upload/file
        fields |= {"success_action_status": "201", "success_action_redirect": ""}
        return FormPostTicket(
            host_id=host_id,
            url=payload["uploadLink"],
            fields=fields,
            expires_at=vdocipher_reading.policy_end(fields.get("policy", ""))
            or timezone.now() + UPLOAD_TICKET_LIFETIME,
        )

    def import_url(self, url: str, *, title: str) -> str:
        """Let VdoCipher fetch a file: https://www.vdocipher.com/docs/server/upload/import-url"""
        body = {"url": url, "title": title, "folderId": self.folder_id}
        host_id = self._object(self._call("PUT", "/videos/importUrl", json=body, is_repeatable=False)).get("id")
        if not reading.is_filled(host_id):
            raise MalformedResponse(f"{self.alias}: an import without an id.")
        return str(host_id)

    # --- Captions, figures ----------------------------------------------------------------------------------------

    def put_caption(self, host_id: str, caption: CaptionFile) -> None:
        """https://www.vdocipher.com/docs/server/videomanagement/files/upload-captions

        The host knows two-letter languages alone: `en-GB` and `en-US` replace one another. Whether it replaces a file
        by itself is not documented, so the former ones are deleted once the new one is there.
        """
        language = self._language(caption.language)
        former = self._caption_ids(host_id, language)
        files = {"file": (f"{language}.vtt", caption.body.encode(), "text/vtt")}
        path = f"/videos/{_checked(host_id)}/files/"
        try:
            added = self._object(self._call("POST", path, params={"language": language}, files=files))
            # Errors may come with any status; a message tells them from a file.
            if not isinstance(added.get("id"), int):
                raise Rejected(f"{self.alias}: an answer without a file.")
        except Rejected as error:
            is_early = self.get_asset(host_id).status in (Status.WAITING, Status.PROCESSING)
            code = "not_ready" if is_early else "caption_refused"
            raise Rejected(f"{self.alias}: the captions were not taken.", code=code) from error
        self._delete_files(host_id, [file_id for file_id in former if file_id != added.get("id")])

    def delete_caption(self, host_id: str, language: str) -> None:
        """Captions are deleted by the id of their file, which has to be looked up."""
        try:
            self._delete_files(host_id, self._caption_ids(host_id, self._language(language)))
        except AssetNotFound:
            logger.info("%s: video %r was already gone, and its captions with it.", self.alias, host_id)

    def usage(self, day: date) -> list[HostUsage]:
        """Bytes sent per video: https://www.vdocipher.com/docs/server/account/video-usage

        A day is complete at 05:30 UTC on the next; the figures are "equal or less than actual".
        """
        answer = http.fetch(self._host_call("POST", "/account/video-usage", json={"date": day.isoformat()}))
        counted = vdocipher_usage.bytes_by_video(answer.body)
        if counted is None:
            raise MalformedResponse(f"{self.alias}: a table of usage without the columns video and bandwidth.")
        return [HostUsage(host_id=video, day=day, delivered_bytes=size) for video, size in counted.items()]

    def _language(self, tag: str) -> str:
        language = tag.partition("-")[0].lower()
        if not LANGUAGE.fullmatch(language):
            raise Rejected(f"{self.alias}: captions need a two-letter language.", code="caption_refused")
        return language

    def _caption_ids(self, host_id: str, language: str) -> list[int]:
        ids = vdocipher_reading.caption_ids(self._call("GET", f"/videos/{_checked(host_id)}/files/"), language)
        if ids is None:
            raise MalformedResponse(f"{self.alias}: files that are not a list.")
        return ids

    def _delete_files(self, host_id: str, file_ids: list[int]) -> None:
        for file_id in file_ids:
            try:
                self._call("DELETE", f"/videos/{_checked(host_id)}/files/{file_id}")
            except AssetNotFound:
                logger.info("%s: file %d of video %r was already gone.", self.alias, file_id, host_id)

    # --- Webhook, health, options ---------------------------------------------------------------------------------

    def parse_webhook(self, *, headers: Mapping[str, str], query: Mapping[str, str], body: bytes) -> list[WebhookEvent]:
        """The event of one hook; hooks are unsigned, so the token in the address is all that proves them."""
        if not self.webhook_secret:
            raise WebhookRejected(f"{self.alias}: no webhook secret is set.", code="unconfigured")
        token = query.get("token", "").encode("utf-8", "surrogatepass")
        if not hmac.compare_digest(token, self.webhook_secret.encode()):
            raise WebhookRejected(f"{self.alias}: the token does not match.")
        return [self._event(self._hook_object(body))]

    def ping(self) -> Ping:
        """Ask for one row of the list of videos, which needs working credentials."""
        return self._timed(lambda: self._call("GET", "/videos", params={"limit": "1"}, patience=http.PING))

    def check(self) -> list[CheckMessage]:
        place = f'VIDEO_PROVIDERS["{self.alias}"]'
        messages = option_checks.insecure_addresses(place, {"api_url": self.api_url, "player_url": self.player_url})
        messages += option_checks.stand_in_mismatch(
            place,
            url=self.api_url,
            secret=self.api_secret,
            prefix=STAND_IN_SECRET_PREFIX,
            variables="VIDEO_SERVICE_SECRET_KEY and VDOCIPHER_API_URL",
        )
        unknown = sorted(set(self.watermark_style) - watermark.STYLE_KEYS)
        if unknown:
            messages.append(Error(f"{place}: watermark_style has unknown members: {unknown}.", id="videos.E004"))
        if not self.webhook_secret:
            messages.append(
                Warning(
                    f"{place}: webhook_secret is empty: hooks are refused, new videos are found by polling alone.",
                    hint="Set VDOCIPHER_WEBHOOK_SECRET and register the hook with ?token=<the same value>.",
                    id="videos.W001",
                )
            )
        return messages

    # --- Reading and calling --------------------------------------------------------------------------------------

    def _call(self, method: str, path: str, **values: Any) -> Any:
        return http.fetch_json(self._host_call(method, path, **values))

    def _host_call(self, method: str, path: str, **values: Any) -> http.HostCall:
        """`values` are further members of the call; its patience is BACKGROUND unless another one is named."""
        return http.HostCall(
            alias=self.alias,
            method=method,
            url=self.api_url.rstrip("/") + path,
            headers={"Authorization": f"Apisecret {self.api_secret}"},
            explain=self._explain,
            **{"patience": http.BACKGROUND, **values},
        )

    def _explain(self, status: int, body: Any) -> type[VideoProviderError] | None:
        message = reading.text(body.get("message")).lower() if isinstance(body, dict) else ""
        return next((kind for start, kind in self.MESSAGES.items() if message.startswith(start)), None)

    def _object(self, answer: Any) -> dict[str, Any]:
        if not isinstance(answer, dict):
            raise MalformedResponse(f"{self.alias}: an answer that is not an object.")
        return answer

    def _status(self, word: str) -> Status:
        status = self.STATUSES.get(word.strip().lower())
        if status is None:
            logger.warning("%s: unknown status %.64r, taken as processing.", self.alias, word)
        return status or Status.PROCESSING

    def _failure(self, word: str) -> str:
        return self.FAILURES.get(word.strip().lower(), failures.HOST_FAILED)

    def _event(self, data: Mapping[str, Any]) -> WebhookEvent:
        payload = data.get("payload")
        host_id = reading.text(payload.get("id")) if isinstance(payload, dict) else ""
        host_kind = reading.text(data.get("event"))
        kind = self.WEBHOOK_KINDS.get(host_kind, WebhookKind.UNKNOWN) if HOST_ID.fullmatch(host_id) else None
        return WebhookEvent(
            kind=kind or WebhookKind.UNKNOWN, host_id=host_id if kind else "", host_kind=host_kind, raw=data
        )


def _checked(host_id: str) -> str:
    """The id, once it cannot be anything but one path segment; no other text names a video."""
    if not HOST_ID.fullmatch(host_id):
        raise AssetNotFound("No video has such an id.")
    return host_id


def _user_id(viewer_id: str) -> str:
    """The id as it is when VdoCipher takes it, else a digest, so that no two viewers share one."""
    return viewer_id if USER_ID.fullmatch(viewer_id) else hashlib.sha256(viewer_id.encode()).hexdigest()[:36]
