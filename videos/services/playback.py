"""The grant: may this person watch, is there a stream left, and what does the host give.

The order is what makes it safe: access and the session's row in one short transaction under the viewer's lock, then the
host without any transaction, then the row is finished only if nobody revoked it meanwhile. A host that grants without a
remote call is asked inside that transaction, so that its row is finished at once.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import salted_hmac

from videos import conf
from videos.access import Decision
from videos.models import Asset, AssetStatus, PlaybackSession, SessionDoor, SessionState, Video, Viewer
from videos.providers.types import Playback
from videos.services import addresses, streams
from videos.services.errors import (
    AccessDenied,
    InvalidRequest,
    SessionEnded,
    SessionRevoked,
    TooManyStreams,
    VideoFailed,
    VideoNotReady,
    VideosError,
)
from videos.services.grants import Grant, GrantedSession
from videos.services.minting import doubts_followed, is_minted_here, mint, plays_by_otp
from videos.services.progress import fitted_position
from videos.services.refusals import note_refused_start
from videos.services.tokens import session_token

if TYPE_CHECKING:
    from videos.access import Person

UNNAMED_DEVICE = "unnamed-"
"""Begins the id of a device that no browser named."""


@dataclass(frozen=True, kw_only=True)
class RequestContext:
    """Where a viewing comes from. `ip` is empty when unknown."""

    ip: str = ""
    user_agent: str = ""


@doubts_followed()
def open_session(
    *,
    user: "Person",
    video: Video,
    door: SessionDoor,
    device_id: str,
    context: RequestContext,
    instead_of: UUID | None = None,
    by_otp: bool = False,
) -> Grant:
    """Grant one viewing of `video`; `instead_of` is a session of the same viewer that is ended for it.

    With `by_otp` only a host that gives one-time passwords will do: InvalidRequest (`no_otp`) for another one.
    `device_id` names the viewer's device, for an anonymous viewer the verified id of the device itself; empty: told
    apart by address and browser. The lesson door claims no stream, the playback door does.
    Raises AccessDenied, TooManyStreams, VideoNotReady, VideoFailed, HostUnavailable, SessionRevoked, or SessionEnded
    when a later start on the same device took over meanwhile.
    """
    device_id = device_id or _unnamed_device(context)
    try:
        start = _begin(user, video, door, device_id, context, instead_of, by_otp=by_otp)
    except (AccessDenied, TooManyStreams) as refusal:
        if door == SessionDoor.PLAYBACK:
            note_refused_start(user=user, video=video, code=refusal.code, device_id=device_id, ip=context.ip)
        raise
    session, asset = start.session, start.asset
    playback = start.playback or _ask_host(user, start)
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
        captions=[
            track | {"url": addresses.caption_url(video.pk, track["language"])} for track in video.caption_tracks
        ],
        poster_url=addresses.poster_url(video, asset),
        protection=asset.protection,
    )


@dataclass(frozen=True, kw_only=True)
class _Start:
    """A session whose row is written; `playback` is None while its host has still to be asked."""

    session: PlaybackSession
    asset: Asset
    decision: Decision
    playback: Playback | None


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
    user: "Person",
    video: Video,
    door: SessionDoor,
    device_id: str,
    context: RequestContext,
    instead_of: UUID | None,
    *,
    by_otp: bool,
) -> _Start:
    now = timezone.now()
    is_claim = door == SessionDoor.PLAYBACK
    with transaction.atomic():
        viewer = streams.lock_viewer(user_id=user.pk, device_key=device_id, resume_of=video.pk)
        decision = conf.access_policy()(user, video)
        if not decision.allowed:
            raise AccessDenied(decision.code, tier=decision.tier)
        asset = playable_asset(video)
        if by_otp and not plays_by_otp(asset):
            raise InvalidRequest("no_otp", attr="video", detail="This video plays in another player: use playback/.")
        limit = conf.max_concurrent_streams() if decision.max_streams is None else decision.max_streams
        if instead_of is not None:
            streams.take_over(viewer, public_id=instead_of, now=now)
        if decision.counted:
            streams.make_room(viewer, device_id=device_id, video_id=video.pk, limit=limit, now=now, is_claim=is_claim)
        session = PlaybackSession(
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
            position_s=_resume_position_s(viewer, asset),
            ip=context.ip or None,
            user_agent=context.user_agent,
        )
        playback = None
        if is_minted_here(asset):
            playback = mint(user=user, session=session, asset=asset, decision=decision)
            session.state, session.expires_at = SessionState.ISSUED, playback.expires_at
        session.save(force_insert=True)
    return _Start(session=session, asset=asset, decision=decision, playback=playback)


def _resume_position_s(viewer: Viewer, asset: Asset) -> float:
    """Where the locked row of `lock_viewer` says that the viewer stands, in this copy of the video."""
    row: Any = viewer
    length_ms = round(asset.duration_s * 1000) if asset.duration_s else None
    return fitted_position(row.resume_position_s or 0, row.resume_duration_ms, length_ms)


def _ask_host(user: "Person", start: _Start) -> Playback:
    try:
        playback = mint(user=user, session=start.session, asset=start.asset, decision=start.decision)
    except VideosError as error:
        _give_up(start.session, error.code)
        raise
    except BaseException:
        _give_up(start.session, "error")
        raise
    _finish(start.session, playback)
    return playback


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


def _unnamed_device(context: RequestContext) -> str:
    seen = f"{context.ip}|{context.user_agent}"
    # Keyed: whoever reads the row alone cannot try out all addresses.
    return f"{UNNAMED_DEVICE}{salted_hmac('videos.unnamed_device', seen, algorithm='sha256').hexdigest()[:32]}"
