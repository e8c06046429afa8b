"""Having a copy prepared again by its host: with another quality or protection, or because it failed."""

import logging
from typing import TYPE_CHECKING

from django.utils import timezone

from videos import conf
from videos.models import Asset, AssetStatus, Video
from videos.providers.exceptions import AssetNotFound, ProviderMisconfigured, Rejected, VideoProviderError
from videos.providers.types import Preparation
from videos.services.errors import (
    CannotPrepare,
    HostUnavailable,
    InvalidRequest,
    NotYours,
    SourceGone,
    TranscodeRunning,
    VideoFailed,
)
from videos.services.host_calls import ask_host, usable_provider
from videos.services.routing import is_as_strong

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

logger = logging.getLogger(__name__)

_REFUSALS = {error.code: error for error in (TranscodeRunning, SourceGone)}


def prepare_again(
    *, video: Video, actor: "AbstractBaseUser", quality: str | None = None, protection: str | None = None
) -> Asset:
    """Have the host prepare the video's file again; gives the copy. What plays now plays on until that is done.

    A replacement whose file has come is meant before the copy that plays. What is given is what the video wants from
    now on; None stays as it is, empty is what the host usually gives. Raises NotYours, VideoFailed (no copy, or a
    deleted one), CannotPrepare (another kind of host), TranscodeRunning, SourceGone, InvalidRequest
    (`protection_unavailable`) or HostUnavailable.
    """
    if not conf.manage_policy()(actor, video):
        raise NotYours()
    asset = _copy_to_prepare(video)
    provider = usable_provider(asset.provider)
    if provider is None or not provider.supports_retranscode:
        raise CannotPrepare()
    wanted = None if protection is None else provider.protection_for(protection)
    if wanted is not None and not is_as_strong(wanted, protection or ""):
        raise InvalidRequest(
            "protection_unavailable", attr="protection", detail=f"This video's host cannot give “{protection}”."
        )
    who = str(actor.pk)
    try:
        ask_host(lambda: provider.retranscode(asset.host_id, quality=quality, protection=wanted, requested_by=who))
    except Rejected as error:
        raise _REFUSALS.get(error.code, CannotPrepare)() from error
    except AssetNotFound as error:
        raise VideoFailed(AssetStatus.DELETED) from error
    except VideoProviderError as error:
        raise HostUnavailable() from error
    _remember(video, quality=quality, protection=protection)
    Asset.objects.filter(pk=asset.pk).update(next_poll_at=timezone.now(), poll_attempts=0)
    conf.enqueue("videos.refresh_asset", asset.pk)
    return asset


def preparation_of(asset: Asset) -> Preparation | None:
    """How far the host is with this copy, for the page of those who manage it; None where it cannot say."""
    provider = usable_provider(asset.provider)
    if provider is None or not provider.supports_retranscode:
        return None
    try:
        return provider.preparation(asset.host_id)
    except (VideoProviderError, ProviderMisconfigured) as error:
        logger.warning("Asset %s: its host cannot say how far it is: %s", asset.pk, error)
        return None


def _copy_to_prepare(video: Video) -> Asset:
    coming = video.assets.filter(is_next=True).exclude(status=AssetStatus.WAITING).first()
    asset = coming or video.get_current_asset()
    if asset is None:
        raise VideoFailed("missing")
    if asset.status == AssetStatus.DELETED:
        raise VideoFailed(asset.status)
    return asset


def _remember(video: Video, *, quality: str | None, protection: str | None) -> None:
    given = {"quality": quality, "protection": protection}
    changes = {name: value for name, value in given.items() if value is not None}
    if changes:
        Video.objects.filter(pk=video.pk).update(**changes, updated_at=timezone.now())
