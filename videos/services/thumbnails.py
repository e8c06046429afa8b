"""Pictures of a video, made by its host."""

from videos.models import Asset, AssetStatus
from videos.providers.exceptions import ProviderMisconfigured, VideoProviderError
from videos.services.errors import HostUnavailable, NoThumbnail
from videos.services.host_calls import usable_provider

KEPT_S = 600
"""How long a browser keeps the host's address."""

TOKEN_S = KEPT_S + 60
POSTER_SHARE = 0.1
POSTER_MAX_S = 10.0


def picture_address(
    asset: Asset, *, second: float | None = None, width: int | None = None, height: int | None = None
) -> str:
    """The host's own address of a picture at `second`, or of the poster; good for eleven minutes.

    A second past the end gives the last picture. Raises NoThumbnail (`thumbnails_unsupported` where the host cuts no
    pictures at a second, `no_thumbnail` while there is none) or HostUnavailable.
    """
    provider = usable_provider(asset.provider)
    if provider is None or not provider.supports_thumbnails:
        if second is not None:
            raise NoThumbnail("thumbnails_unsupported")
        if not asset.poster_url:
            raise NoThumbnail()
        return asset.poster_url
    if asset.status != AssetStatus.READY:
        raise NoThumbnail()
    try:
        return provider.thumbnail_url(
            asset.host_id, second=_within(second, asset.duration_s), width=width, height=height, ttl_s=TOKEN_S
        )
    except (VideoProviderError, ProviderMisconfigured) as error:
        raise HostUnavailable("host_misconfigured") from error


def _within(second: float | None, duration_s: float | None) -> float:
    if second is None:
        return min((duration_s or 0) * POSTER_SHARE, POSTER_MAX_S)
    # The very last instant has no picture.
    return second if duration_s is None else max(0.0, min(second, duration_s - 0.1))
