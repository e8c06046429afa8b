"""The grant: may this person watch, is there a stream left, and what does the host give.

The order is what makes it safe: access and the session's row in one short transaction under the viewer's lock, then the
host without any transaction, then the row is finished only if nobody revoked it meanwhile.
"""

import hashlib
import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from videos import conf
from videos.access import Decision
from videos.models import Asset, AssetStatus, PlaybackSession, SessionDoor, SessionState, Video
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
from videos.services import streams
from videos.services.errors import (
    AccessDenied,
    HostUnavailable,
    SessionEnded,
    SessionRevoked,
    VideoFailed,
    VideoNotReady,
    VideosError,
)
from videos.services.grants import Grant, GrantedSession
from videos.services.host_calls import ask_host
from videos.services.tokens import session_token

if TYPE_CHECKING:
    from videos.access import Person

logger = logging.getLogger(__name__)

REFUSAL_RETRY_S = 10
MISCONFIGURED_RETRY_S = 60


@dataclass(frozen=True, kw_only=True)
class RequestContext:
    """Where a viewing comes from. `ip` is empty when unknown."""

    ip: str = ""
    user_agent: str = ""


def open_session(*, user: "Person", video: Video, door: SessionDoor, device_id: str, context: RequestContext) -> Grant:
    """Grant one viewing of `video`.

    `device_id` names the viewer's device, for an anonymous viewer the verified id of the device itself; empty: told
    apart by address and browser. The lesson door claims no stream, the playback door does.
    Raises AccessDenied, TooManyStreams, VideoNotReady, VideoFailed, HostUnavailable, SessionRevoked, or SessionEnded
    when a later start on the same device took over meanwhile.
    """
    device_id = device_id or _unnamed_device(context)
    session, asset, decision = _begin(user, video, door, device_id, context)
    try:
        playback = _ask(user, session, asset, decision)
    except VideosError as error:
        _give_up(session, error.code)
        raise
    except BaseException:
        _give_up(session, "error")
        raise
    _finish(session, playback)
    return Grant(
        session=GrantedSession(
            public_id=session.public_id,
            token=session_token(session.public_id),
            heartbeat_url=reverse("videos:session-heartbeat", args=[session.public_id]),
            heartbeat_seconds=conf.HEARTBEAT_S,
            lease_expires_at=session.lease_expires_at,
        ),
        playback=playback,
        resume_position_s=session.position_s,
        duration_s=asset.duration_s,
        captions=[],
        poster_url=asset.poster_url,
        protection=asset.protection,
    )


def playable_asset(video: Video) -> Asset:
    """The current asset, when it can be played; raises VideoNotReady or VideoFailed with its status."""
    asset = video.get_current_asset()
    if asset is None:
        raise VideoFailed("missing")
    if asset.status in (AssetStatus.WAITING, AssetStatus.PROCESSING):
        raise VideoNotReady(asset.status)
    if asset.status != AssetStatus.READY:
        raise VideoFailed(asset.status)
    return asset


def _begin(
    user: "Person", video: Video, door: SessionDoor, device_id: str, context: RequestContext
) -> tuple[PlaybackSession, Asset, Decision]:
    now = timezone.now()
    is_claim = door == SessionDoor.PLAYBACK
    with transaction.atomic():
        viewer = streams.lock_viewer(user_id=user.pk, device_key=device_id, resume_of=video.pk)
        decision = conf.access_policy()(user, video)
        if not decision.allowed:
            raise AccessDenied(decision.code, tier=decision.tier)
        asset = playable_asset(video)
        limit = conf.max_concurrent_streams() if decision.max_streams is None else decision.max_streams
        if decision.counted:
            streams.make_room(viewer, device_id=device_id, video_id=video.pk, limit=limit, now=now, is_claim=is_claim)
        session = PlaybackSession.objects.create(
            viewer=viewer,
            video=video,
            asset=asset,
            device_id=device_id,
            door=door,
            is_counted=decision.counted,
            max_streams=limit,
            created_at=now,
            expires_at=now + timedelta(seconds=conf.SESSION_TTL_S),
            lease_expires_at=now + timedelta(seconds=conf.LEASE_S) if is_claim else None,
            position_s=getattr(viewer, "resume_position_s", None) or 0,
            ip=context.ip or None,
            user_agent=context.user_agent,
        )
    return session, asset, decision


def _ask(user: "Person", session: PlaybackSession, asset: Asset, decision: Decision) -> Playback:
    request = PlaybackRequest(
        host_id=asset.host_id,
        viewer=_viewer(user, session, decision),
        session_id=str(session.public_id),
        device_id=session.device_id,
        ip=session.ip or "",
        ttl_s=conf.SESSION_TTL_S,
    )
    try:
        provider = providers[asset.provider]
        return ask_host(lambda: provider.get_playback(request))
    except (UnknownProvider, ProviderMisconfigured, UnsupportedOperation, CredentialsRejected) as error:
        logger.error("Video host %s cannot be used: %s", asset.provider, error)
        raise HostUnavailable("host_misconfigured", retry_after_s=MISCONFIGURED_RETRY_S) from error
    except AssetNotFound as error:
        _ask_about(asset)
        raise VideoFailed("missing") from error
    except VideoProviderError as error:
        logger.warning("Video host %s gave no playback: %s (%s)", asset.provider, error.code, error)
        if error.is_retryable or isinstance(error, MalformedResponse):
            raise HostUnavailable(retry_after_s=_whole_seconds(error.retry_after_s)) from error
        _ask_about(asset)
        if error.code == "not_playable":
            raise VideoNotReady(AssetStatus.PROCESSING) from error
        raise HostUnavailable("host_refused", retry_after_s=REFUSAL_RETRY_S) from error


def _viewer(user: "Person", session: PlaybackSession, decision: Decision) -> Viewer:
    if not user.is_authenticated:
        return Viewer(id=f"device-{session.viewer_id}", watermark=decision.watermark)
    return Viewer(
        id=str(user.pk),
        name=getattr(user, "get_full_name", user.get_username)(),
        email=getattr(user, "email", ""),
        watermark=decision.watermark,
    )


def _finish(session: PlaybackSession, playback: Playback) -> None:
    finished = PlaybackSession.objects.filter(pk=session.pk, state=SessionState.ISSUING).update(
        state=SessionState.ISSUED, expires_at=playback.expires_at
    )
    if finished:
        return
    if PlaybackSession.objects.filter(pk=session.pk, state=SessionState.REVOKED).exists():
        raise SessionRevoked()
    raise SessionEnded()


def _give_up(session: PlaybackSession, reason: str) -> None:
    PlaybackSession.objects.filter(pk=session.pk, state=SessionState.ISSUING).update(
        state=SessionState.FAILED, end_reason=reason[:64], lease_expires_at=None, ended_at=timezone.now()
    )


def _ask_about(asset: Asset) -> None:
    # The next poll finds out; a viewer does not wait for it.
    Asset.objects.filter(pk=asset.pk).update(next_poll_at=timezone.now(), poll_attempts=0)


def _whole_seconds(seconds: float | None) -> int | None:
    return None if seconds is None else max(1, round(seconds))


def _unnamed_device(context: RequestContext) -> str:
    seen = f"{context.ip}|{context.user_agent}"
    return f"unnamed-{hashlib.sha256(seen.encode()).hexdigest()[:32]}"
