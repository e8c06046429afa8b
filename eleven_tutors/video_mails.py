"""Tells the owner of a video by mail that it is ready, or why it cannot be. Worded when it is sent."""

from typing import Any, cast

from django.conf import settings
from django.urls import reverse

from mailing.models import OutgoingMail
from mailing.services import Message, queue_mail, register
from users.models import User
from videos import signals
from videos.models import Asset, AssetStatus, Video

READY = "video_ready"
FAILED = "video_failed"


def connect() -> None:
    """Listen to the videos, and word these mails."""
    signals.video_ready.connect(owe_ready_mail, dispatch_uid="eleven_tutors.video_ready")
    signals.video_failed.connect(owe_failed_mail, dispatch_uid="eleven_tutors.video_failed")
    register(READY, render_ready)
    register(FAILED, render_failed)


def owe_ready_mail(*, video: Video, asset: Asset, **sent: Any) -> None:
    _owe(READY, video, asset)


def owe_failed_mail(*, video: Video, asset: Asset, **sent: Any) -> None:
    _owe(FAILED, video, asset)


def render_ready(reference: dict[str, Any]) -> Message | None:
    asset = _asset(reference, AssetStatus.READY)
    if asset is None:
        return None
    return _message(asset, subject=f"Your video is ready: {asset.video.title}", template="mail/video_ready")


def render_failed(reference: dict[str, Any]) -> Message | None:
    asset = _asset(reference, AssetStatus.FAILED)
    if asset is None:
        return None
    return _message(
        asset, subject=f"Your video could not be prepared: {asset.video.title}", template="mail/video_failed"
    )


def _owe(kind: str, video: Video, asset: Asset) -> OutgoingMail | None:
    """A signal may come again after a crash, so that the key allows one mail per copy and status."""
    if video.owner_id is None:
        return None
    return queue_mail(kind=kind, key=f"{asset.pk}:{asset.status}", reference={"asset_id": asset.pk})


def _asset(reference: dict[str, Any], status: AssetStatus) -> Asset | None:
    """The copy, while the news still holds and there is somebody to tell."""
    asset = Asset.objects.select_related("video__owner").filter(pk=reference["asset_id"], status=status).first()
    owner = asset.video.owner if asset else None
    return asset if owner is not None and owner.is_active and owner.email else None


def _message(asset: Asset, *, subject: str, template: str) -> Message:
    video, owner = asset.video, cast(User, asset.video.owner)
    others = video.assets.filter(is_current=True, status=AssetStatus.READY).exclude(pk=asset.pk)
    return Message(
        to=owner.email,
        subject=subject,
        template=template,
        context={
            "name": owner.display_name,
            "title": video.title,
            "reason": asset.failure_reason,
            "file": asset.source_name,
            "still_plays": others.exists(),
            "link": settings.PUBLIC_URL + reverse("admin:videos_video_change", args=[video.pk]),
        },
    )
