"""Addresses that a browser loads without headers: signed, good for an hour or more, made without the database.

Each stays the same for half an hour, so that a browser's cache can tell that it has the picture already.
"""

import time
from collections.abc import Mapping
from urllib.parse import urlencode
from uuid import UUID

from django.core import signing
from django.urls import reverse
from django.utils.crypto import constant_time_compare

from videos.models import Asset, AssetStatus, Video
from videos.services.errors import SignatureInvalid
from videos.services.host_calls import usable_provider

STEP_S = 1800
_SALT = "videos.address"


def caption_url(video_id: UUID, language: str) -> str:
    """The signed address of the captions in one language."""
    signature = sign(caption_subject(video_id, language), {})
    return f"{reverse('videos:video-caption', args=[video_id, language])}?signature={signature}"


def thumbnail_url(
    video_id: UUID, second: float | None = None, width: int | None = None, height: int | None = None
) -> str:
    """The signed address of a picture of the video, by default its poster; good for these values alone."""
    values = {"second": second, "width": width, "height": height}
    query = {name: f"{value:.10g}" for name, value in values.items() if value is not None}
    signature = sign(thumbnail_subject(video_id), query)
    return f"{reverse('videos:video-thumbnail', args=[video_id])}?{urlencode(query | {'signature': signature})}"


def caption_subject(video_id: UUID, language: str) -> str:
    return f"caption:{video_id}:{language}"


def thumbnail_subject(video_id: UUID) -> str:
    return f"thumbnail:{video_id}"


def poster_url(video: Video, asset: Asset) -> str:
    """The poster as a page can load it: our signed address where the host cuts pictures, else the host's own one."""
    provider = usable_provider(asset.provider)
    if provider is None or not provider.supports_thumbnails:
        return asset.poster_url
    return thumbnail_url(video.pk) if asset.status == AssetStatus.READY else ""


def sign(subject: str, query: Mapping[str, str]) -> str:
    """A signature of this subject with these values, good for 60 to 90 minutes."""
    ends_at = (int(time.time()) // STEP_S + 3) * STEP_S
    return f"{ends_at:x}.{_mac(subject, query, ends_at)}"


def require_signature(subject: str, query: Mapping[str, str], signature: str) -> None:
    """Raise SignatureInvalid unless `signature` was made for this subject with these values and is still good."""
    end, _, mac = signature.partition(".")
    try:
        ends_at = int(end, 16) if len(end) <= 16 else 0
    except ValueError:
        raise SignatureInvalid() from None
    if not constant_time_compare(mac, _mac(subject, query, ends_at)) or ends_at < time.time():
        raise SignatureInvalid()


def _mac(subject: str, query: Mapping[str, str], ends_at: int) -> str:
    return signing.Signer(salt=_SALT).signature(f"{subject}?{urlencode(sorted(query.items()))}|{ends_at:x}")
