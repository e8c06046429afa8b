"""What crosses the boundary between this app and a video host. Nothing here knows a request, a user model or a host."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Literal


class Status(StrEnum):
    """State of a copy at a host, in our words; values equal those of `videos.models.AssetStatus`."""

    WAITING = "waiting"
    PROCESSING = "processing"
    READY = "ready"
    FAILED = "failed"
    DELETED = "deleted"


class Protection(StrEnum):
    """How a copy is protected; values equal those of `videos.models.Protection`."""

    OPEN = "open"
    ENCRYPTED = "encrypted"
    DRM = "drm"


@dataclass(frozen=True, kw_only=True)
class AssetInfo:
    """One copy as its host describes it now. `host_status` is the host's own word, `raw` its whole answer.

    A failed copy has a `failure_code` of `videos.providers.failures`; `progress_percent` is that of the processing.
    `protection` is set where it can change, or differ from copy to copy.
    """

    host_id: str
    status: Status
    host_status: str = ""
    title: str = ""
    duration_s: float | None = None
    size_bytes: int | None = None
    poster_url: str = ""
    failure_code: str = ""
    progress_percent: int | None = None
    protection: Protection | None = None
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, kw_only=True)
class Viewer:
    """Whoever watches. `id` is stable and names nobody to an outsider; `watermark` is the text shown over the video,
    empty for none."""

    id: str
    name: str = field(default="", repr=False)
    email: str = field(default="", repr=False)
    watermark: str = field(default="", repr=False)


@dataclass(frozen=True, kw_only=True)
class PlaybackRequest:
    """One viewing that a host is asked to allow. `ip` is the viewer's address, empty when unknown.

    `ttl_s` is how long a credential lives that is used at once; one that cannot be renewed in mid-view lives for
    `duration_s` * 1.5 + 10 min instead, as far as the host allows.
    """

    host_id: str
    viewer: Viewer
    session_id: str
    device_id: str = ""
    ip: str = field(default="", repr=False)
    ttl_s: int = 300
    duration_s: float | None = None


@dataclass(frozen=True, kw_only=True)
class VdoCipherPlayback:
    """A one-time password for VdoCipher's player; a reload needs another one."""

    otp: str = field(repr=False)
    playback_info: str = field(repr=False)
    embed_url: str = field(repr=False)
    expires_at: datetime
    is_renewable: bool = False
    kind: Literal["vdocipher"] = "vdocipher"

    def as_json(self) -> dict[str, str]:
        """The member that a player reads: otp, playbackInfo (the host's spelling), embed_url."""
        return {"otp": self.otp, "playbackInfo": self.playback_info, "embed_url": self.embed_url}


@dataclass(frozen=True, kw_only=True)
class HlsPlayback:
    """Manifests for a player of HLS or DASH, and where it gets its keys.

    `drm` is empty for what is not encrypted, else `{"scheme", "token", "systems": {key system: {"license_url"}}}`:
    `token` is good for the first licence alone, within two minutes; later ones take the session's token.
    """

    url: str = field(repr=False)
    dash_url: str = field(default="", repr=False)
    drm: Mapping[str, Any] = field(default_factory=dict, repr=False)
    sprite_url: str = field(default="", repr=False)
    watermark: str = field(default="", repr=False)
    expires_at: datetime
    is_renewable: bool = True
    kind: Literal["hls"] = "hls"

    def as_json(self) -> dict[str, Any]:
        """The member that a player reads: url (HLS), dash_url, drm, sprite_url (WebVTT of pictures on the timeline),
        watermark (text that the player lays over the picture; empty for none)."""
        return {
            "url": self.url,
            "dash_url": self.dash_url,
            "drm": dict(self.drm),
            "sprite_url": self.sprite_url,
            "watermark": self.watermark,
        }


@dataclass(frozen=True, kw_only=True)
class IframePlayback:
    """A host's own player, to embed as it is.

    `api` names the JavaScript interface that a page may steer it by (`cloudflare-stream`, `playerjs`), `api_url` the
    script that offers it; both empty when there is none. `allow` is for the iframe's attribute of that name.
    """

    url: str = field(repr=False)
    api: str = ""
    api_url: str = ""
    allow: str = "autoplay; encrypted-media; fullscreen; picture-in-picture"
    expires_at: datetime
    is_renewable: bool = False
    kind: Literal["iframe"] = "iframe"

    def as_json(self) -> dict[str, str]:
        """The member that a player reads: url, api, api_url, allow."""
        return {"url": self.url, "api": self.api, "api_url": self.api_url, "allow": self.allow}


@dataclass(frozen=True, kw_only=True)
class FilePlayback:
    """One file that a browser plays by itself."""

    url: str = field(repr=False)
    expires_at: datetime
    is_renewable: bool = True
    kind: Literal["file"] = "file"

    def as_json(self) -> dict[str, str]:
        return {"url": self.url}


Playback = VdoCipherPlayback | HlsPlayback | IframePlayback | FilePlayback


@dataclass(frozen=True, kw_only=True)
class UploadRequest:
    """A file somebody wants to upload, as far as it is known before the first byte.

    `creator_id` names the uploader to the host without telling who it is. `protection` is the wanted one, None for the
    host's strongest; `quality` is `high`, `medium` or `low` where the host asks, empty for its default.
    """

    title: str
    filename: str
    size_bytes: int | None = None
    content_type: str = ""
    creator_id: str = ""
    protection: Protection | None = None
    quality: str = ""


@dataclass(frozen=True, kw_only=True)
class FormPostTicket:
    """An upload as one `multipart/form-data` POST: `fields` in their order, then the file as `file_field`, last."""

    host_id: str
    url: str = field(repr=False)
    fields: Mapping[str, str] = field(repr=False)
    file_field: str = "file"
    expires_at: datetime
    kind: Literal["form_post"] = "form_post"

    def as_json(self) -> dict[str, Any]:
        """What a browser needs to upload: kind, url, fields, file_field, expires_at (ISO 8601)."""
        return {
            "kind": self.kind,
            "url": self.url,
            "fields": dict(self.fields),
            "file_field": self.file_field,
            "expires_at": self.expires_at.isoformat(),
        }


@dataclass(frozen=True, kw_only=True)
class TusTicket:
    """A resumable upload by tus 1.0.0: at `upload_url` when the host has created it, else to be created at `endpoint`.

    Exactly one of the two is set. Every chunk but the last has `chunk_size` bytes.
    """

    host_id: str
    upload_url: str = field(default="", repr=False)
    endpoint: str = ""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    metadata: Mapping[str, str] = field(default_factory=dict)
    chunk_size: int
    expires_at: datetime
    kind: Literal["tus"] = "tus"

    def as_json(self) -> dict[str, Any]:
        """What a browser needs: kind, upload_url or endpoint, headers, metadata, chunk_size (bytes), expires_at."""
        address = {"upload_url": self.upload_url} if self.upload_url else {"endpoint": self.endpoint}
        return address | {
            "kind": self.kind,
            "headers": dict(self.headers),
            "metadata": dict(self.metadata),
            "chunk_size": self.chunk_size,
            "expires_at": self.expires_at.isoformat(),
        }


@dataclass(frozen=True, kw_only=True)
class PutTicket:
    """An upload as one PUT of the file's bytes to `url`, with these headers."""

    host_id: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    expires_at: datetime
    kind: Literal["put"] = "put"

    def as_json(self) -> dict[str, Any]:
        """What a browser needs to upload: kind, url, headers, expires_at (ISO 8601)."""
        return {
            "kind": self.kind,
            "url": self.url,
            "headers": dict(self.headers),
            "expires_at": self.expires_at.isoformat(),
        }


@dataclass(frozen=True, kw_only=True)
class MultipartTicket:
    """An upload to a bucket in parts of `part_bytes`, the last one smaller, signed and put together by our server.

    `url` is the base of our own addresses for it (`parts/`, `complete/`), `companion_url` that of Uppy's Companion
    shapes; both name the upload and carry its secret.
    """

    host_id: str
    url: str = field(repr=False)
    companion_url: str = field(repr=False)
    part_bytes: int
    expires_at: datetime
    kind: Literal["s3_multipart"] = "s3_multipart"

    def as_json(self) -> dict[str, Any]:
        """What a browser needs to upload: kind, url, companion_url, part_size (bytes), expires_at (ISO 8601)."""
        return {
            "kind": self.kind,
            "url": self.url,
            "companion_url": self.companion_url,
            "part_size": self.part_bytes,
            "expires_at": self.expires_at.isoformat(),
        }


@dataclass(frozen=True, kw_only=True)
class NoTicket:
    """A copy that needs no upload by the browser, such as an import by address."""

    host_id: str
    kind: Literal["none"] = "none"

    def as_json(self) -> dict[str, Any]:
        return {"kind": self.kind}


Ticket = FormPostTicket | TusTicket | PutTicket | MultipartTicket | NoTicket


@dataclass(frozen=True, kw_only=True)
class Preparation:
    """How far a host is with making a copy playable, or what came of its last attempt.

    `state` is `pending`, `processing`, `completed` or `failed`; `step` says in a word or two what is done now, empty
    when nothing is. `quality` and `protection` are what the attempt is to give. `can_start_again` says that the
    original is kept, nothing is under way, and another attempt could end better; a failed attempt has a `failure_code`
    of `videos.providers.failures`.
    """

    state: Literal["pending", "processing", "completed", "failed"]
    step: str = ""
    progress_percent: int = 0
    quality: str = ""
    protection: Protection = Protection.OPEN
    can_start_again: bool = False
    failure_code: str = ""


@dataclass(frozen=True, kw_only=True)
class CaptionFile:
    """Captions in one language as WebVTT; `language` is BCP 47."""

    language: str
    label: str
    body: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class HostUsage:
    """What one copy cost its host on one UTC day, as far as the host tells: bytes sent, seconds delivered."""

    host_id: str
    day: date
    delivered_bytes: int | None = None
    delivered_s: float | None = None


@dataclass(frozen=True, kw_only=True)
class HostStorage:
    """What the account keeps at its host, as far as the host tells; a limit of None is unknown or none."""

    stored_s: float | None = None
    limit_s: float | None = None
    stored_bytes: int | None = None
    limit_bytes: int | None = None
    videos: int | None = None


@dataclass(frozen=True, kw_only=True)
class HostStatistics:
    """What a host counted of one copy between two days, as far as it tells."""

    host_id: str
    watched_s: float | None = None
    views: int | None = None


@dataclass(frozen=True, kw_only=True)
class Workload:
    """What a host of ours is at; "today" is the UTC day. A job prepares one copy, a licence opens one for a while.

    `licence_errors_today` are refused requests, `revoked_keys` keys that no licence is given for any more.
    """

    jobs_waiting: int
    jobs_running: int
    jobs_completed_today: int
    jobs_failed_today: int
    licences_issued_today: int
    licence_errors_today: int
    revoked_keys: int


class WebhookKind(StrEnum):
    """What a host's hook is about."""

    ASSET_CHANGED = "asset_changed"
    ASSET_DELETED = "asset_deleted"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class WebhookEvent:
    """One thing a host told us. With `is_hint` the body was not signed: believe `host_id` alone, ask the host again."""

    kind: WebhookKind
    host_id: str = ""
    event_id: str = ""
    host_kind: str = ""
    is_hint: bool = True
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, kw_only=True)
class Ping:
    """Whether a host answers our authenticated calls, and how fast; `error_code` tells why it does not."""

    is_reachable: bool
    response_ms: float
    error_code: str = ""
