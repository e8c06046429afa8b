"""New copies: which host takes the file, and what the browser needs to send it there."""

import logging
import unicodedata
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone

from videos import conf
from videos.models import AccessLevel, Asset, AssetStatus, Video
from videos.providers import types
from videos.providers.types import NoTicket, Ticket, UploadRequest
from videos.services.assets import poll_delay
from videos.services.details import check_details, clean_tags, set_tags
from videos.services.errors import NotYours, VideoFailed
from videos.services.removal import discard_asset, forget_copy
from videos.services.routing import RouteFacts, Taken, ask_in_turn, find_hosts, is_as_strong
from videos.services.sources import check_source

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

logger = logging.getLogger(__name__)

FILENAME_MAX = 255


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
    quality: str = "",
    tags: Iterable[str] = (),
    metadata: Mapping[str, Any] | None = None,
    subject: models.Model | None = None,
) -> tuple[Video, Asset, Ticket]:
    """Get an upload ticket from the first host that gives one, and keep the video it is for.

    Hosts are those of the first fitting route, in its order, or the one that was asked for. A process that dies
    between the host's answer and our row leaves an empty video at the host, which plays nothing and which only the
    host's dashboard shows. Raises InvalidRequest (no host fits, every host refuses the file, a detail is wrong) or
    HostUnavailable.
    """
    video = _draft(
        owner_id=owner.pk,
        title=title,
        protection=protection,
        access_level=access_level,
        required_tier=required_tier,
        quality=quality,
        metadata=dict(metadata or {}),
        subject=subject,
    )
    names = clean_tags(tags)
    name = clean_filename(filename)
    facts = RouteFacts(protection=protection, access_level=access_level, tags=names, size_bytes=size_bytes)
    aliases = find_hosts(facts, flag="supports_upload", provider_alias=provider_alias)
    taken, ticket = _ticket(aliases, owner, video, filename=name, size=size_bytes, content_type=content_type)
    asset = _asset(video, taken, ticket, source_name=name)
    _keep(video, asset, names)
    return video, asset, ticket


def import_video(
    *,
    owner: "AbstractBaseUser",
    url: str,
    title: str,
    provider_alias: str = "",
    protection: str = "",
    access_level: str = AccessLevel.ENTITLED,
    required_tier: str = "",
    quality: str = "",
    tags: Iterable[str] = (),
    metadata: Mapping[str, Any] | None = None,
    subject: models.Model | None = None,
) -> tuple[Video, Asset, Ticket]:
    """Let the first host that can do so fetch the file by itself, and keep the video.

    Raises InvalidRequest (`source_url_invalid`, `source_url_private`, and as `create_upload`) or HostUnavailable.
    """
    video = _draft(
        owner_id=owner.pk,
        title=title,
        protection=protection,
        access_level=access_level,
        required_tier=required_tier,
        quality=quality,
        metadata=dict(metadata or {}),
        subject=subject,
    )
    names = clean_tags(tags)
    check_source(url)
    facts = RouteFacts(protection=protection, access_level=access_level, tags=names)
    aliases = find_hosts(facts, flag="supports_import", provider_alias=provider_alias)
    taken, host_id = ask_in_turn(aliases, lambda provider: provider.import_url(url, title=title))
    ticket = NoTicket(host_id=host_id)
    asset = _asset(video, taken, ticket, source_name=clean_filename(url.partition("?")[0]))
    asset.status = AssetStatus.PROCESSING
    _keep(video, asset, names)
    return video, asset, ticket


def replace_file(
    *,
    video: Video,
    actor: "AbstractBaseUser",
    filename: str,
    size_bytes: int,
    content_type: str,
    provider_alias: str = "",
    protection: str | None = None,
    quality: str | None = None,
) -> tuple[Asset, Ticket]:
    """Get a ticket for another file of a video that is there already.

    The copy that plays goes on playing until the new one is ready; a copy that never got a file, or failed, makes way
    at once, and so does a replacement that was begun before. `protection` and `quality` are what the video wants from
    now on, None for what it wanted before. The host gives no less than that or, unless a host or a protection is
    named, than the copy that plays has. Raises NotYours, VideoFailed for a deleted video,
    InvalidRequest or HostUnavailable.
    """
    if not conf.manage_policy()(actor, video):
        raise NotYours()
    current = _refuse_deleted(video.get_current_asset())
    wishes = _wish(video, protection=protection, quality=quality)
    name = clean_filename(filename)
    facts = RouteFacts(
        protection=video.protection if provider_alias or protection else _kept_protection(video, current),
        access_level=video.access_level,
        tags=list(video.tags.values_list("name", flat=True)),
        size_bytes=size_bytes,
    )
    aliases = find_hosts(facts, flag="supports_upload", provider_alias=provider_alias)
    taken, ticket = _ticket(aliases, actor, video, filename=name, size=size_bytes, content_type=content_type)
    asset = _asset(video, taken, ticket, source_name=name)
    try:
        _take_place(asset, wishes)
    except BaseException:
        forget_copy(asset.provider, asset.host_id)
        raise
    return asset, ticket


def note_sent(video: Video) -> None:
    """Somebody says that the file is at the host: the copies that wait for one are asked about now."""
    now = timezone.now()
    with transaction.atomic():
        awaited = Asset.objects.filter(Q(is_current=True) | Q(is_next=True), video=video, status=AssetStatus.WAITING)
        for asset_id in awaited.values_list("pk", flat=True):
            Asset.objects.filter(pk=asset_id).update(next_poll_at=now, poll_attempts=0)
            conf.enqueue("videos.refresh_due_asset", asset_id)


def clean_filename(name: str) -> str:
    """The last part of a path without control and format characters; "video" when nothing is left."""
    base = name.replace("\\", "/").rstrip("/").rpartition("/")[2]
    kept = "".join(character for character in base if not unicodedata.category(character).startswith("C"))
    return kept.strip()[:FILENAME_MAX] or "video"


def _draft(*, subject: models.Model | None, **values: Any) -> Video:
    video = Video(**values)
    if subject is not None:
        video.subject = subject
    check_details(access_level=video.access_level, required_tier=video.required_tier, metadata=video.metadata)
    return video


def _ticket(
    aliases: list[str], owner: "AbstractBaseUser", video: Video, *, filename: str, size: int, content_type: str
) -> tuple[Taken, Ticket]:
    request = UploadRequest(
        title=video.title,
        filename=filename,
        size_bytes=size,
        content_type=content_type,
        creator_id=str(owner.pk),
        protection=types.Protection(video.protection) if video.protection else None,
        quality=video.quality,
    )
    return ask_in_turn(aliases, lambda provider: provider.create_upload(request))


def _asset(video: Video, taken: Taken, ticket: Ticket, *, source_name: str) -> Asset:
    return Asset(
        video=video,
        provider=taken.alias,
        host_id=ticket.host_id,
        protection=taken.protection_for(video.protection),
        passed_over=taken.passed_over,
        source_name=source_name,
        upload_expires_at=None if isinstance(ticket, NoTicket) else ticket.expires_at,
        next_poll_at=timezone.now() + poll_delay(0),
    )


def _keep(video: Video, asset: Asset, tags: list[str]) -> None:
    """Write a new video; what the host holds already is deleted there when that fails."""
    try:
        with transaction.atomic():
            video.save(force_insert=True)
            asset.save(force_insert=True)
            set_tags(video, tags)
    except BaseException:
        forget_copy(asset.provider, asset.host_id)
        raise


def _wish(video: Video, **given: str | None) -> dict[str, str]:
    wishes = {name: value for name, value in given.items() if value is not None}
    for name, value in wishes.items():
        setattr(video, name, value)
    return wishes


def _take_place(asset: Asset, wishes: Mapping[str, str]) -> None:
    with transaction.atomic():
        Video.objects.select_for_update(no_key=True).get(pk=asset.video_id)
        copies = Asset.objects.filter(video_id=asset.video_id).select_for_update(no_key=True)
        current = _refuse_deleted(copies.filter(is_current=True).first())
        begun = copies.filter(is_next=True).first()
        if begun is not None:
            discard_asset(begun)
        if current is not None and current.status in (AssetStatus.READY, AssetStatus.PROCESSING):
            asset.is_current, asset.is_next = False, True
        elif current is not None:
            _make_way(current)
        if wishes:
            Video.objects.filter(pk=asset.video_id).update(**wishes, updated_at=timezone.now())
        asset.save(force_insert=True)


def _make_way(current: Asset) -> None:
    if current.status == AssetStatus.WAITING:
        discard_asset(current)
    else:
        Asset.objects.filter(pk=current.pk).update(is_current=False, next_poll_at=None)


def _refuse_deleted(current: Asset | None) -> Asset | None:
    if current is not None and current.status == AssetStatus.DELETED:
        raise VideoFailed(current.status)
    return current


def _kept_protection(video: Video, current: Asset | None) -> str:
    plays = current is not None and current.status in (AssetStatus.READY, AssetStatus.PROCESSING)
    if current is None or not plays or current.provider in conf.stand_ins():
        return video.protection
    if is_as_strong(video.protection or "open", current.protection):
        return video.protection
    return current.protection
