"""New videos: which host takes the file, and what the browser needs to send it there."""

import logging
from collections.abc import Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils import timezone

from videos import conf
from videos.models import AccessLevel, Asset, Protection, Video
from videos.providers.exceptions import ProviderMisconfigured, Rejected, VideoProviderError
from videos.providers.registry import providers
from videos.providers.types import Ticket, UploadRequest
from videos.services.assets import poll_delay
from videos.services.errors import HostUnavailable, InvalidRequest
from videos.services.host_calls import ask_host

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

logger = logging.getLogger(__name__)


def create_upload(
    *,
    owner: "AbstractBaseUser",
    title: str,
    filename: str,
    size_bytes: int,
    content_type: str,
    provider_alias: str = "",
    protection: str = "",
    access_level: str = AccessLevel.ENTITLED,
    required_tier: str = "",
) -> tuple[Video, Ticket]:
    """Get an upload ticket from the first host that gives one and keep the video it is for.

    Hosts are those of the first fitting route, in its order, or the one that was asked for; a host that cannot give
    the wanted protection is passed over. Raises InvalidRequest (no host fits, or it refuses the file) or
    HostUnavailable.
    """
    request = UploadRequest(title=title, filename=filename, size_bytes=size_bytes, content_type=content_type)
    facts = {"protection": protection, "access_level": access_level, "size": size_bytes}
    aliases = [provider_alias] if provider_alias else list(_routed(facts))
    alias, ticket = _first_ticket([name for name in aliases if _fits(name, protection)], request)
    with transaction.atomic():
        video = Video.objects.create(
            title=title,
            owner_id=owner.pk,
            access_level=access_level,
            required_tier=required_tier,
            protection=protection,
        )
        Asset.objects.create(
            video=video,
            provider=alias,
            host_id=ticket.host_id,
            protection=Protection(providers[alias].protections[0]),
            next_poll_at=timezone.now() + poll_delay(0),
        )
    return video, ticket


def _routed(facts: Mapping[str, Any]) -> Iterator[str]:
    for route in conf.routes():
        if all(facts.get(name) == wanted for name, wanted in route.get("when", {}).items()):
            yield from route["use"]
            return


def _fits(alias: str, protection: str) -> bool:
    if alias not in providers:
        return False
    try:
        provider = providers[alias]
    except ProviderMisconfigured as error:
        logger.error("Video host %s cannot be used: %s", alias, error)
        return False
    return provider.supports_upload and (not protection or protection in provider.protections)


def _first_ticket(aliases: list[str], request: UploadRequest) -> tuple[str, Ticket]:
    if not aliases:
        raise InvalidRequest("no_fitting_host", attr="provider", detail="No configured video host fits this upload.")
    failure: VideoProviderError | None = None
    for alias in aliases:
        provider = providers[alias]
        try:
            return alias, ask_host(partial(provider.create_upload, request))
        except Rejected as error:
            raise InvalidRequest(error.code, attr="size", detail=str(error)) from error
        except VideoProviderError as error:
            logger.warning("Video host %s gave no upload ticket: %s", alias, error)
            failure = error
    retry_after_s = None if failure is None or failure.retry_after_s is None else max(1, round(failure.retry_after_s))
    raise HostUnavailable(retry_after_s=retry_after_s) from failure
