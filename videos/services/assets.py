"""Copies of a video at hosts: attaching one by its id, and keeping our rows true to what the host says."""

import logging
import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db import IntegrityError, models, transaction
from django.utils import timezone

from videos import conf, signals
from videos.models import Asset, AssetStatus, Protection, Video
from videos.providers import failures
from videos.providers.exceptions import AssetNotFound, ProviderMisconfigured, UnknownProvider, VideoProviderError
from videos.providers.registry import providers
from videos.providers.types import AssetInfo
from videos.services import captions, hooks
from videos.services.delays import backoff
from videos.services.errors import InvalidRequest, NotYours
from videos.services.host_calls import ask_host, usable_provider

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

logger = logging.getLogger(__name__)

POLL_BATCH = 100
ANNOUNCE_AGAIN = timedelta(minutes=1)
LOST_POLLS = 10
"""How often a host is asked again, over some four hours, about a copy that it suddenly denies."""
_SAME_LENGTH_S = 1.0
_HOST_ID = re.compile(r"[A-Za-z0-9_.:-]{1,255}")
_SETTLED = (AssetStatus.READY, AssetStatus.FAILED, AssetStatus.DELETED)
_ANNOUNCED = (AssetStatus.READY, AssetStatus.FAILED)


def attach_host_id(
    *,
    host_id: str,
    title: str,
    owner: "AbstractBaseUser | None",
    video: Video | None = None,
    provider_alias: str = "",
) -> Asset:
    """Make the host's `host_id` a current asset and have its status fetched; gives the asset.

    An id already known is reused where `owner` may manage its video, so the asset's video can be another than `video`:
    point to `asset.video`. Otherwise the id replaces the current asset of `video`, or starts a new video. `owner` None
    is the system, which may do everything. Without `provider_alias` the id may name its host, as in `cloudflare:<id>`;
    otherwise the first routed host is meant.
    Raises InvalidRequest (`video_service_id_invalid`, `video_service_id_taken`, `video_provider_unknown`) or NotYours.
    """
    alias, host_id = _named(host_id.strip(), provider_alias)
    if video is not None and owner is not None and not conf.manage_policy()(owner, video):
        raise NotYours()
    with transaction.atomic():
        asset = find_attachable(host_id=host_id, owner=owner, provider_alias=alias)
        if asset is None:
            asset = _create(alias, host_id, title=title, owner=owner, video=video)
        if not asset.is_current:
            make_current(asset)
        Asset.objects.filter(pk=asset.pk).update(next_poll_at=timezone.now(), poll_attempts=0)
        conf.enqueue("videos.refresh_asset", asset.pk)
    return asset


def find_attachable(*, host_id: str, owner: "AbstractBaseUser | None", provider_alias: str = "") -> Asset | None:
    """The asset that has this id already, if any, for `owner` to attach.

    Raises InvalidRequest (`video_service_id_invalid`, `video_service_id_taken`, `video_provider_unknown`).
    """
    alias, host_id = _named(host_id, provider_alias)
    if not _HOST_ID.fullmatch(host_id):
        raise InvalidRequest("video_service_id_invalid", attr="video_service_id", detail="This is no id of a video.")
    asset = Asset.objects.select_related("video").filter(provider=alias, host_id=host_id).first()
    if asset is not None and owner is not None and not conf.manage_policy()(owner, asset.video):
        raise InvalidRequest(
            "video_service_id_taken", attr="video_service_id", detail="This video belongs to somebody else."
        )
    return asset


def _named(host_id: str, provider_alias: str) -> tuple[str, str]:
    """The host that is meant and the id there."""
    prefix, colon, rest = host_id.partition(":")
    if not provider_alias and colon and prefix in providers:
        return prefix, rest
    return provider_alias or default_alias(), host_id


def default_alias() -> str:
    """The host of an id that somebody gives without naming one; raises InvalidRequest when there is none.

    It is the first routed one whose ids people know, else the first one that is configured at all.
    """
    routed = [alias for route in conf.routes() for alias in route["use"] if alias in providers]
    for alias in (*routed, *providers):
        provider = usable_provider(alias)
        if provider is None or provider.ids_are_pasted:
            return str(alias)
    if routed:
        return str(routed[0])
    raise InvalidRequest("video_provider_unknown", attr="provider", detail="No video host is configured.")


def protection_of(alias: str) -> Protection:
    """What copies at this host have; raises InvalidRequest for an unknown alias."""
    try:
        return Protection(providers[alias].protections[0])
    except (UnknownProvider, ProviderMisconfigured) as error:
        raise InvalidRequest(
            "video_provider_unknown", attr="provider", detail="There is no such video host."
        ) from error


def make_current(asset: Asset) -> None:
    """Let this copy be the one that is played, and no other take its place once ready.

    The former copy stays for a way back; one that is to be deleted at its host still will be. Captions go to the new
    copy, marked for a check when its length is another.
    """
    with transaction.atomic():
        Video.objects.select_for_update(no_key=True).get(pk=asset.video_id)
        others = Asset.objects.filter(video_id=asset.video_id).exclude(pk=asset.pk)
        former = others.filter(is_current=True).only("duration_s").first()
        others.filter(is_current=True).update(
            is_current=False,
            next_poll_at=models.Case(models.When(status=AssetStatus.DELETED, then=models.F("next_poll_at"))),
        )
        others.filter(is_next=True).update(is_next=False)
        asset.is_current, asset.is_next = True, False
        asset.save(update_fields=["is_current", "is_next"])
        _take_captions_along(asset, former)


def refresh_asset(asset_id: int) -> None:
    """Ask the host about one asset and take over what it says; safe to run twice and at once.

    A host that cannot answer is asked again later. A copy that is to be deleted is deleted there instead; one that its
    host merely lost is never, and plays again should the host find it.
    """
    asset = Asset.objects.filter(pk=asset_id).first()
    if asset is None:
        return
    asked_at = timezone.now()
    try:
        provider = providers[asset.provider]
        if _is_to_be_deleted(asset):
            _delete_at_host(asset)
        else:
            _apply(asset, ask_host(lambda: provider.get_asset(asset.host_id)), asked_at)
    except AssetNotFound:
        _apply_not_found(asset, asked_at)
    except (VideoProviderError, UnknownProvider, ProviderMisconfigured) as error:
        logger.warning("Asset %s could not be asked about: %s", asset.pk, error)
        hooks.note_failure(asset, getattr(error, "code", "host_misconfigured"))
        _postpone(asset)


def refresh_due_asset(asset_id: int) -> bool:
    """Ask the host about one asset unless somebody did so since it became due; gives whether it was asked."""
    now = timezone.now()
    asset = Asset.objects.due_for_poll(now).filter(pk=asset_id).first()
    if asset is None or not _put_off(asset, now):
        return False
    refresh_asset(asset_id)
    return True


def ask_again(videos: Sequence[Video]) -> int:
    """Have the current assets of these videos asked about now, whatever is known of them; gives how many."""
    assets = Asset.objects.filter(video__in=videos, is_current=True)
    ids = list(assets.values_list("pk", flat=True))
    assets.filter(pk__in=ids).update(next_poll_at=timezone.now(), poll_attempts=0)
    for asset_id in ids:
        conf.enqueue("videos.refresh_asset", asset_id)
    return len(ids)


def poll_assets() -> int:
    """Have every asset that is due asked about; gives how many. Each is put off first, so that runs do not overlap."""
    now = timezone.now()
    due = list(Asset.objects.due_for_poll(now)[:POLL_BATCH])
    return sum(_take(asset, now) for asset in due)


def _create(alias: str, host_id: str, *, title: str, owner: "AbstractBaseUser | None", video: Video | None) -> Asset:
    protection = protection_of(alias)
    try:
        with transaction.atomic():
            video = video or Video.objects.create(
                title=title[:200] or host_id[:200], owner_id=None if owner is None else owner.pk
            )
            asset = Asset.objects.create(
                video=video, provider=alias, host_id=host_id, protection=protection, is_current=False
            )
            make_current(asset)
            return asset
    except IntegrityError:
        # Somebody else attached the same id in this moment; without such a row the error is another one.
        other = find_attachable(host_id=host_id, owner=owner, provider_alias=alias)
        if other is None:
            raise
        return other


def _apply(asset: Asset, info: AssetInfo, asked_at: datetime) -> None:
    with transaction.atomic():
        asset = _locked(asset)
        before = asset.status
        if _is_to_be_deleted(asset):
            return
        status = AssetStatus(info.status)
        is_step_back = before == AssetStatus.READY and status in (AssetStatus.WAITING, AssetStatus.PROCESSING)
        asset.status = before if is_step_back else status
        if asset.status not in _ANNOUNCED:
            asset.announced_status = ""  # prepared once more: how that ends is news again
        asset.host_status = info.host_status[:64]
        asset.failure_code = info.failure_code[:64]
        asset.failure_reason = failures.reason_of(info.failure_code) if info.failure_code else ""
        asset.progress_percent = 100 if asset.status == AssetStatus.READY else info.progress_percent
        asset.duration_s = info.duration_s if info.duration_s is not None else asset.duration_s
        asset.size_bytes = info.size_bytes if info.size_bytes is not None else asset.size_bytes
        asset.poster_url = info.poster_url if len(info.poster_url) <= 1000 else ""
        asset.protection = info.protection or asset.protection
        asset.raw = dict(info.raw)
        _settle(asset, before, asked_at)


def _apply_not_found(asset: Asset, asked_at: datetime) -> None:
    with transaction.atomic():
        asset = _locked(asset)
        before = asset.status
        if _is_to_be_deleted(asset):
            return
        was_there = asset.ready_at is not None or before == AssetStatus.DELETED
        if before == AssetStatus.READY:
            asset.poll_attempts = 0
        asset.status = AssetStatus.DELETED if was_there else AssetStatus.FAILED
        asset.failure_code = failures.UNKNOWN_TO_HOST
        asset.failure_reason = failures.reason_of(failures.UNKNOWN_TO_HOST)
        _settle(asset, before, asked_at)


def _is_to_be_deleted(asset: Asset) -> bool:
    """Deleted by somebody here, as opposed to lost by the host."""
    return asset.status == AssetStatus.DELETED and asset.failure_code != failures.UNKNOWN_TO_HOST


def _locked(asset: Asset) -> Asset:
    # The video first, as everybody does who changes which copy is played.
    Video.objects.select_for_update(no_key=True).get(pk=asset.video_id)
    return Asset.objects.select_for_update(no_key=True).get(pk=asset.pk)


def _settle(asset: Asset, before: str, asked_at: datetime) -> None:
    now = timezone.now()
    if (
        asset.status != AssetStatus.WAITING
        and asset.uploaded_at is None
        and asset.failure_code != failures.UNKNOWN_TO_HOST
    ):
        asset.uploaded_at = now
    if asset.status == AssetStatus.READY and asset.ready_at is None:
        asset.ready_at = now
    owes_announcement = _owes_announcement(asset)
    if not _is_due_again(asset, asked_at, now):
        asset.next_poll_at = _next_poll(asset, now, owes_announcement)
    asset.save()
    hooks.mark_handled(asset, asked_at)
    if asset.status == AssetStatus.READY and asset.is_next:
        make_current(asset)
    elif asset.status == AssetStatus.READY and asset.is_current and before != AssetStatus.READY:
        played_before = Asset.objects.filter(video_id=asset.video_id, ready_at__isnull=False).exclude(pk=asset.pk)
        _take_captions_along(asset, played_before.only("duration_s").order_by("-ready_at").first())
    if owes_announcement:
        transaction.on_commit(lambda: announce(asset.pk), robust=True)


def _next_poll(asset: Asset, now: datetime, owes_announcement: bool) -> datetime | None:
    is_just_lost = asset.status == AssetStatus.DELETED and asset.poll_attempts < LOST_POLLS
    if asset.status not in _SETTLED or is_just_lost:
        return now + poll_delay(asset.poll_attempts)
    # Until the listeners were told, the asset stays due: a process that dies in between leaves them to the poll.
    return now + ANNOUNCE_AGAIN if owes_announcement else None


def _is_due_again(asset: Asset, asked_at: datetime, now: datetime) -> bool:
    """Whether a hook or a person asked for news after the host was asked."""
    return asset.next_poll_at is not None and asked_at < asset.next_poll_at <= now


def _owes_announcement(asset: Asset) -> bool:
    is_of_interest = asset.is_current or asset.is_next
    return is_of_interest and asset.status in _ANNOUNCED and asset.announced_status != asset.status


def announce(asset_id: int) -> None:
    """Tell the listeners that a copy is ready or failed, at least once each time that it comes to be so.

    A process that dies before it has noted so leaves the asset due for the poll, which tells them again.
    """
    asset = Asset.objects.select_related("video").filter(pk=asset_id).first()
    if asset is None or asset.status not in _ANNOUNCED or asset.announced_status == asset.status:
        return
    if asset.status == AssetStatus.READY:
        signals.video_ready.send_robust(Video, video=asset.video, asset=asset)
    else:
        signals.video_failed.send_robust(Video, video=asset.video, asset=asset, reason=asset.failure_reason)
    told = Asset.objects.filter(pk=asset_id, status=asset.status)
    told.update(announced_status=asset.status)
    told.filter(next_poll_at=asset.next_poll_at).update(next_poll_at=None)


def poll_delay(attempts: int) -> timedelta:
    """How long to wait after so many fruitless questions: 30 s, doubling, an hour at most."""
    return backoff(attempts)


def _take_captions_along(asset: Asset, former: Asset | None) -> None:
    before_s = former.duration_s if former is not None else None
    if before_s is not None and asset.duration_s is not None and abs(before_s - asset.duration_s) > _SAME_LENGTH_S:
        captions.mark_for_check(asset.video_id)
    captions.queue_pushes(asset)


def _take(asset: Asset, now: datetime) -> int:
    taken = _put_off(asset, now)
    if taken:
        conf.enqueue("videos.refresh_asset", asset.pk)
    return taken


def _put_off(asset: Asset, now: datetime) -> int:
    """Move the next question on, unless somebody else did; gives 1 or 0."""
    return Asset.objects.filter(pk=asset.pk, next_poll_at=asset.next_poll_at).update(
        next_poll_at=now + poll_delay(asset.poll_attempts), poll_attempts=min(asset.poll_attempts + 1, 1000)
    )


def _postpone(asset: Asset) -> None:
    Asset.objects.filter(pk=asset.pk, next_poll_at__lte=timezone.now()).update(
        next_poll_at=timezone.now() + poll_delay(asset.poll_attempts), poll_attempts=min(asset.poll_attempts + 1, 1000)
    )


def _delete_at_host(asset: Asset) -> None:
    provider = providers[asset.provider]
    if provider.supports_delete:
        ask_host(lambda: provider.delete(asset.host_id))
    Asset.objects.filter(pk=asset.pk).update(next_poll_at=None)
