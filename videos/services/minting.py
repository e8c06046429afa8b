"""What a host gives for one viewing, and its refusals in our words."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from django.utils import timezone

from videos import conf
from videos.access import Decision
from videos.models import Asset, AssetStatus, PlaybackSession
from videos.providers.exceptions import (
    AssetNotFound,
    CredentialsRejected,
    MalformedResponse,
    ProviderMisconfigured,
    UnknownProvider,
    UnsupportedOperation,
    VideoProviderError,
)
from videos.providers.registry import providers
from videos.providers.types import Playback, PlaybackRequest, Viewer
from videos.services.errors import HostUnavailable, VideoFailed, VideoNotReady, VideosError
from videos.services.host_calls import ask_host

if TYPE_CHECKING:
    from videos.access import Person

logger = logging.getLogger(__name__)

REFUSAL_RETRY_S = 10
MISCONFIGURED_RETRY_S = 60


def is_minted_here(asset: Asset) -> bool:
    """Whether the host of `asset` grants without a remote call; False for one that cannot be used."""
    try:
        return providers[asset.provider].grants_locally
    except (UnknownProvider, ProviderMisconfigured):
        return False


def plays_by_otp(asset: Asset) -> bool:
    """Whether the host of `asset` gives one-time passwords; True for one that cannot be used, which minting tells."""
    try:
        return providers[asset.provider].plays_by_otp
    except (UnknownProvider, ProviderMisconfigured):
        return True


@contextmanager
def doubts_followed() -> Iterator[None]:
    """Have a copy asked about again that a refusal doubts; around the transaction, which the refusal rolls back.

    The next poll finds out: a viewer does not wait for it.
    """
    try:
        yield
    except VideosError as refusal:
        if refusal.doubted_asset_id is not None:
            doubted = Asset.objects.filter(pk=refusal.doubted_asset_id)
            doubted.update(next_poll_at=timezone.now(), poll_attempts=0)
        raise


def mint(*, user: "Person", session: PlaybackSession, asset: Asset, decision: Decision) -> Playback:
    """Have the host of `asset` give what the player of this session needs.

    Raises HostUnavailable, VideoFailed (`missing`) or VideoNotReady; one that doubts what we know of the asset says so.
    """
    request = PlaybackRequest(
        host_id=asset.host_id,
        viewer=_viewer(user, session, decision),
        session_id=str(session.public_id),
        device_id=session.device_id,
        ip=session.ip or "",
        ttl_s=conf.SESSION_TTL_S,
        duration_s=asset.duration_s,
    )
    try:
        provider = providers[asset.provider]
        return ask_host(lambda: provider.get_playback(request))
    except (UnknownProvider, ProviderMisconfigured, UnsupportedOperation, CredentialsRejected) as error:
        logger.error("Video host %s cannot be used: %s", asset.provider, error)
        raise HostUnavailable("host_misconfigured", retry_after_s=MISCONFIGURED_RETRY_S) from error
    except AssetNotFound as error:
        raise _doubting(asset, VideoFailed("missing")) from error
    except VideoProviderError as error:
        logger.warning("Video host %s gave no playback: %s (%s)", asset.provider, error.code, error)
        if error.is_retryable or isinstance(error, MalformedResponse):
            raise HostUnavailable(retry_after_s=_whole_seconds(error.retry_after_s)) from error
        if error.code == "not_playable":
            raise _doubting(asset, VideoNotReady(AssetStatus.PROCESSING)) from error
        raise _doubting(asset, HostUnavailable("host_refused", retry_after_s=REFUSAL_RETRY_S)) from error


def _viewer(user: "Person", session: PlaybackSession, decision: Decision) -> Viewer:
    if not user.is_authenticated:
        return Viewer(id=f"device-{session.viewer_id}", watermark=decision.watermark)
    return Viewer(
        id=str(user.pk),
        name=getattr(user, "get_full_name", user.get_username)(),
        email=getattr(user, "email", ""),
        watermark=decision.watermark,
    )


def _doubting(asset: Asset, refusal: VideosError) -> VideosError:
    refusal.doubted_asset_id = asset.pk
    return refusal


def _whole_seconds(seconds: float | None) -> int | None:
    return None if seconds is None else max(1, round(seconds))
