"""What a player needs to play a copy at our host, and the addresses of its playlists."""

import logging
from datetime import datetime, timedelta
from uuid import UUID

from django.urls import reverse
from django.utils import timezone

from videos.hosted.hosts import HostParts, host
from videos.hosted.models import Package, Scheme
from videos.hosted.seams.delivery import MediaTicket
from videos.hosted.seams.store import StoreUnavailable
from videos.hosted.services.licence_server import licensing
from videos.hosted.services.playback import play_tokens
from videos.hosted.services.playback.playable import find_playable
from videos.providers.exceptions import ProviderMisconfigured
from videos.providers.types import HlsPlayback, PlaybackRequest

logger = logging.getLogger(__name__)

MASTER, MPD, SPRITE = "master.m3u8", "manifest.mpd", "sprite.vtt"
PRESIGNED_MAX = timedelta(hours=6)
"""What a signed address of a file may live; the session cannot end it earlier."""

OURS_MAX = timedelta(hours=24)
"""What an address of ours may live: it is worth nothing once its session is over."""


def playback(*, alias: str, request: PlaybackRequest) -> HlsPlayback:
    """The manifests of a copy for one viewing, and where its keys come from; one statement, waits for nobody.

    `expires_at` is the end of what a page may keep: `ttl_s` where the film's length is unknown, else its length * 1.5 +
    10 min, at most 6 h for addresses of a bucket and 24 h for ours. Ours end earlier with their session.
    Raises AssetNotFound, or Rejected (`not_playable`) while there is no package.
    """
    playable = find_playable(alias, request.host_id)
    package, parts = playable.package, host(alias)
    session_id = UUID(request.session_id)
    ours = play_tokens.make(
        session_id=session_id, package_id=package.public_id, copy_id=package.video.public_id, alias=alias
    )
    drm = licensing.drm_member(session_id=session_id, package=package, device_id=request.device_id, host=parts)
    return HlsPlayback(
        url=manifest_url(playable.video_id, ours, MASTER),
        dash_url="" if package.scheme == Scheme.AES128 else manifest_url(playable.video_id, ours, MPD),
        drm=drm,
        sprite_url=manifest_url(playable.video_id, ours, SPRITE) if package.pictures.get("sprite") else "",
        watermark=request.viewer.watermark,
        expires_at=timezone.now() + _life(request.duration_s, request.ttl_s, parts.get_delivery().through_us),
    )


def origins(parts: HostParts) -> tuple[str, ...]:
    """The origins that players load media from beside ours; none while nobody can tell."""
    try:
        return parts.get_delivery().origins(parts.get_store())
    except (StoreUnavailable, ProviderMisconfigured) as error:
        logger.error("Where a host of ours has its files is not known: %s", error)
        return ()


def manifest_url(video_id: UUID, ours: play_tokens.Pass, name: str) -> str:
    """The address of a playlist at this server, without scheme and host."""
    return reverse("videos_hosted:manifest", args=[video_id, ours.text, name])


def ticket(ours: play_tokens.Pass, package: Package, *, through_us: bool) -> MediaTicket:
    """What a delivery signs the addresses of this package's files with."""
    return MediaTicket(
        package_id=ours.package_id,
        prefix=ours.prefix,
        session_id=ours.session_id,
        token=ours.text,
        expires_at=_end(package.duration_s, through_us=through_us),
    )


def _end(duration_s: float | None, *, through_us: bool) -> datetime:
    return timezone.now() + _life(duration_s, 0, through_us)


def _life(duration_s: float | None, ttl_s: int, through_us: bool) -> timedelta:
    longest = OURS_MAX if through_us else PRESIGNED_MAX
    if duration_s is None:
        return timedelta(seconds=ttl_s) if ttl_s else longest
    return min(timedelta(seconds=duration_s * 1.5 + 600), longest)
