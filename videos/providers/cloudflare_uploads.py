"""Places to upload to, one-time and without credentials: as one form, or by tus where a file is large."""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils import timezone

from videos.providers import reading
from videos.providers.cloudflare_api import StreamApi, members
from videos.providers.exceptions import MalformedResponse
from videos.providers.types import FormPostTicket, TusTicket

# The host takes an end from 2 minutes to 6 hours ahead.
FORM_LIFETIME = timedelta(hours=1)
TUS_LIFETIME = timedelta(hours=5, minutes=50)
# A multiple of 256 KiB, from 5 MiB to 200 MiB: https://developers.cloudflare.com/stream/uploading-videos/resumable-uploads/
CHUNK_BYTES = 52_428_800
CREATOR_MAX_LENGTH = 64


@dataclass(frozen=True, kw_only=True)
class NewVideo:
    """What is set on every video before its file arrives; `max_duration_s` is reserved from the plan."""

    title: str
    creator_id: str = ""
    allowed_origins: tuple[str, ...] = ()
    max_duration_s: int = 0

    def as_json(self) -> dict[str, Any]:
        """The members that every way of creating a video has in common."""
        values: dict[str, Any] = {"meta": {"name": self.title}, "requireSignedURLs": True}
        if self.creator_id:
            values["creator"] = self.creator
        if self.allowed_origins:
            values["allowedOrigins"] = list(self.allowed_origins)
        return values

    @property
    def creator(self) -> str:
        """The id as it is when Stream takes it, else a digest of the longest length."""
        fits = (
            len(self.creator_id) <= CREATOR_MAX_LENGTH and self.creator_id.isascii() and self.creator_id.isprintable()
        )
        return self.creator_id if fits else hashlib.sha256(self.creator_id.encode()).hexdigest()


def form_ticket(api: StreamApi, video: NewVideo) -> FormPostTicket:
    """https://developers.cloudflare.com/stream/uploading-videos/direct-creator-uploads/"""
    expires_at = timezone.now() + FORM_LIFETIME
    body = video.as_json() | {"maxDurationSeconds": video.max_duration_s, "expiry": _written(expires_at)}
    result = members(api.call("POST", "/stream/direct_upload", json=body))
    host_id, url = result.get("uid"), result.get("uploadURL")
    if not reading.is_filled(host_id) or not reading.is_filled(url):
        raise MalformedResponse(f"{api.alias}: an upload without uid or uploadURL.")
    return FormPostTicket(host_id=host_id, url=url, fields={}, expires_at=expires_at)


def tus_ticket(api: StreamApi, video: NewVideo, *, size_bytes: int, chunk_size: int) -> TusTicket:
    """https://developers.cloudflare.com/stream/uploading-videos/resumable-uploads/"""
    expires_at = timezone.now() + TUS_LIFETIME
    headers = {
        "Tus-Resumable": "1.0.0",
        "Upload-Length": str(size_bytes),
        "Upload-Metadata": _metadata(video, expires_at),
    }
    # The metadata cannot name the creator: https://github.com/tus/tus-js-client/issues/684
    if video.creator_id:
        headers["Upload-Creator"] = video.creator
    answer = api.send("POST", "/stream", params={"direct_user": "true"}, headers=headers)
    url, host_id = answer.headers.get("Location"), answer.headers.get("stream-media-id")
    if not reading.is_filled(url) or not reading.is_filled(host_id):
        raise MalformedResponse(f"{api.alias}: a tus upload without Location or stream-media-id.")
    return TusTicket(host_id=host_id, upload_url=url, chunk_size=chunk_size, expires_at=expires_at)


def _metadata(video: NewVideo, expires_at: datetime) -> str:
    """The header of that name: base64 values, joined by commas without spaces; a flag has a name alone."""
    values: Mapping[str, str] = {
        "name": video.title,
        "maxDurationSeconds": str(video.max_duration_s),
        "expiry": _written(expires_at),
        "allowedorigins": ",".join(video.allowed_origins),
    }
    pairs = [f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in values.items() if value]
    return ",".join(["requiresignedurls", *pairs])


def _written(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
