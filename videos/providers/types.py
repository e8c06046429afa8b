"""What crosses the boundary between this app and a video host. Nothing here knows a request, a user model or a host."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
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
    """One copy as its host describes it now. `host_status` is the host's own word, `raw` its whole answer."""

    host_id: str
    status: Status
    host_status: str = ""
    title: str = ""
    duration_s: float | None = None
    size_bytes: int | None = None
    poster_url: str = ""
    failure_reason: str = ""
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
    """One viewing that a host is asked to allow. `ip` is the viewer's address, empty when unknown."""

    host_id: str
    viewer: Viewer
    session_id: str
    device_id: str = ""
    ip: str = field(default="", repr=False)
    ttl_s: int = 300


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
    """A manifest for an HLS player."""

    url: str = field(repr=False)
    expires_at: datetime
    is_renewable: bool = True
    kind: Literal["hls"] = "hls"

    def as_json(self) -> dict[str, str]:
        return {"url": self.url}


@dataclass(frozen=True, kw_only=True)
class IframePlayback:
    """A host's own player, to embed as it is."""

    url: str = field(repr=False)
    expires_at: datetime
    is_renewable: bool = False
    kind: Literal["iframe"] = "iframe"

    def as_json(self) -> dict[str, str]:
        return {"url": self.url}


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
    """A file somebody wants to upload, as far as it is known before the first byte."""

    title: str
    filename: str
    size_bytes: int | None = None
    content_type: str = ""


@dataclass(frozen=True, kw_only=True)
class FormPostTicket:
    """An upload as one `multipart/form-data` POST: `fields` in their order, then the file as `file_field`, last."""

    host_id: str
    url: str
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
class NoTicket:
    """A copy that needs no upload by the browser, such as an import by address."""

    host_id: str
    kind: Literal["none"] = "none"

    def as_json(self) -> dict[str, Any]:
        return {"kind": self.kind}


Ticket = FormPostTicket | NoTicket


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
