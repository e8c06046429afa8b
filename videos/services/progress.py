"""What one viewer has seen of one video, over all sessions and devices."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import connections, router
from django.db.models import Exists, OuterRef, QuerySet, Subquery

from videos import conf, sql
from videos.intervals import Spans, bounded, clipped, gaps, merged, scaled, total
from videos.models import Asset, AssetStatus, PlaybackSession, Video, VideoProgress
from videos.services.errors import AccessDenied
from videos.services.streams import UserKey

if TYPE_CHECKING:
    from videos.access import Person

PIECES_MAX = 500
LAST_PLAYED_STEP = timedelta(seconds=60)
SAME_LENGTH_MS = 1000
"""Copies whose lengths differ by no more are the same film: nothing is scaled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """The progress of a viewer in a video: distinct spans seen in ms, of a video of `duration_ms`.

    `pk` is None until it has a row.
    """

    pk: int | None = None
    version: int = 0
    played: Sequence[Sequence[int]] = ()
    covered_ms: int = 0
    duration_ms: int | None = None
    position_s: float = 0
    is_counted: bool = True
    is_completed: bool = False

    @property
    def coverage(self) -> float | None:
        """Share of the distinct time seen, 0 to 1; None while the length is unknown."""
        return min(self.covered_ms / self.duration_ms, 1.0) if self.duration_ms else None


@dataclass(frozen=True, kw_only=True)
class SeenVideo:
    """What somebody has seen of a video, in seconds of its current copy. `missing` is what was not played yet."""

    video_id: UUID
    video_title: str
    position_s: float
    duration_s: float | None
    coverage: float | None
    completed: bool
    completed_at: datetime | None
    liked: bool
    last_played_at: datetime | None
    missing: list[list[float]]


def standing_of(session: PlaybackSession) -> Standing:
    """What the row of `to_beat` says of its viewer's progress."""
    known: Any = session
    if known.known_id is None:
        return Standing()
    return Standing(
        pk=known.known_id,
        version=known.known_version,
        played=json.loads(known.known_played),
        covered_ms=known.known_covered_ms,
        duration_ms=known.known_duration_ms,
        position_s=known.known_position_s,
        is_counted=bool(known.known_is_counted),
        is_completed=bool(known.known_is_completed),
    )


def of_length(standing: Standing, duration_ms: int | None) -> Standing:
    """The same progress in a copy of another length: shares of the video stay what they were."""
    if duration_ms is None or duration_ms == standing.duration_ms:
        return standing
    played = _fitted(standing.played, standing.duration_ms, duration_ms)
    position_s = fitted_position(standing.position_s, standing.duration_ms, duration_ms)
    return replace(standing, played=played, covered_ms=total(played), duration_ms=duration_ms, position_s=position_s)


def fitted_position(position_s: float, old_ms: int | None, new_ms: int | None) -> float:
    """Where `position_s` of a video of `old_ms` lies in a copy of `new_ms`, in seconds."""
    if not new_ms:
        return position_s
    if old_ms and _is_other_length(old_ms, new_ms):
        position_s = position_s * new_ms / old_ms
    return min(position_s, new_ms / 1000)


def advance(
    session: PlaybackSession, standing: Standing, *, spans: Sequence[Sequence[int]], position_s: float, now: datetime
) -> tuple[Standing, bool]:
    """Write what this session adds; gives the progress that results, and whether that completed the video just now.

    `spans` in ms and `position_s` are of the session's own copy; a position of 0 moves nothing. Another session of the
    viewer that came first is read and taken along. Needs the session's lock.
    """
    while True:
        advanced = _advanced(session, standing, spans, position_s)
        pk = _insert(session, advanced, now) if standing.pk is None else _update(session, advanced, now)
        if pk is not None:
            return replace(advanced, pk=pk), advanced.is_completed and not standing.is_completed
        standing = _locked_standing(session)


def copy_length_ms(session: PlaybackSession) -> int | None:
    """The length of the copy that a session of `to_beat` plays; None when it is unknown."""
    seconds: float | None = session.asset_duration_s  # type: ignore[attr-defined]
    return round(seconds * 1000) if seconds else None


def _advanced(
    session: PlaybackSession, standing: Standing, spans: Sequence[Sequence[int]], position_s: float
) -> Standing:
    own_ms = copy_length_ms(session)
    # A session that still plays a replaced copy adds to what is known of the new one, and changes no length.
    is_current = session.asset_is_current  # type: ignore[attr-defined]
    standing = of_length(standing, own_ms if is_current or standing.duration_ms is None else None)
    played = standing.played
    if spans:
        played = bounded(merged([*played, *_fitted(spans, own_ms, standing.duration_ms)]), PIECES_MAX)
    if position_s > 0:
        position_s = fitted_position(position_s, own_ms, standing.duration_ms)
    covered_ms = total(played)
    goal = standing.duration_ms and standing.duration_ms * conf.COMPLETE_SHARE
    return replace(
        standing,
        played=played,
        covered_ms=covered_ms,
        position_s=position_s or standing.position_s,
        is_counted=session.is_counted or (standing.is_counted and standing.pk is not None),
        is_completed=standing.is_completed or bool(goal and covered_ms >= goal),
    )


def _fitted(spans: Iterable[Sequence[int]], old_ms: int | None, new_ms: int | None) -> Spans:
    if not new_ms:
        return merged(spans)
    return clipped(scaled(spans, old_ms, new_ms) if old_ms and _is_other_length(old_ms, new_ms) else spans, new_ms)


def _is_other_length(old_ms: int, new_ms: int) -> bool:
    return abs(old_ms - new_ms) > SAME_LENGTH_MS


def _insert(session: PlaybackSession, new: Standing, now: datetime) -> int | None:
    connection = connections[router.db_for_write(VideoProgress)]
    moment = connection.ops.adapt_datetimefield_value(now)
    video_id = VideoProgress.video.field.get_db_prep_value(session.video_id, connection)
    values: list[Any] = [
        session.viewer_id,
        video_id,
        _json(new.played),
        new.covered_ms,
        new.duration_ms,
        new.position_s,
    ]
    values += [new.is_counted, moment, moment, moment if new.is_completed else None, False, False]
    with connection.cursor() as cursor:
        cursor.execute(sql.NEW_PROGRESS, values)
        row = cursor.fetchone()
    return row[0] if row else None


def _update(session: PlaybackSession, new: Standing, now: datetime) -> int | None:
    connection = connections[router.db_for_write(VideoProgress)]
    moment = connection.ops.adapt_datetimefield_value(now)
    is_begin = session.played_at is None
    outdated = moment if is_begin else connection.ops.adapt_datetimefield_value(now - LAST_PLAYED_STEP)
    values: list[Any] = [_json(new.played), new.covered_ms, new.duration_ms, new.position_s, new.is_counted]
    with connection.cursor() as cursor:
        cursor.execute(
            sql.ADVANCED_PROGRESS,
            [*values, outdated, moment, moment if new.is_completed else None, new.pk, new.version],
        )
        return new.pk if cursor.rowcount else None


def _locked_standing(session: PlaybackSession) -> Standing:
    rows = VideoProgress.objects.select_for_update(no_key=True)
    row = rows.filter(viewer_id=session.viewer_id, video_id=session.video_id).first()
    return Standing() if row is None else standing_in(row)


def progress_of(*, user: "Person", video: Video) -> SeenVideo:
    """What this user has seen of a video; of one never watched, nothing. `video` comes with its current asset.

    Raises AccessDenied for a video never watched that the user may not watch either.
    """
    asset = video.get_current_asset()
    length_s = asset.duration_s if asset else None
    row = VideoProgress.objects.filter(viewer__user_id=user.pk or 0, video=video).first()
    if row is None:
        decision = conf.access_policy()(user, video)
        if not decision.allowed:
            raise AccessDenied(decision.code, tier=decision.tier)
        return replace(seen_in(VideoProgress(video=video), length_s), last_played_at=None)
    return seen_in(row, length_s)


def continue_watching(*, user_id: UserKey) -> QuerySet[VideoProgress]:
    """The user's progress in videos that are still there, last played first, each with its `length_s`."""
    current = Asset.objects.filter(video=OuterRef("video"), is_current=True)
    rows = VideoProgress.objects.filter(viewer__user_id=user_id).select_related("video")
    rows = rows.filter(~Exists(current.filter(status=AssetStatus.DELETED)))
    return rows.annotate(length_s=Subquery(current.values("duration_s")[:1])).order_by("-last_played_at", "-id")


def seen_in(row: VideoProgress, duration_s: float | None) -> SeenVideo:
    """What a row says, in a copy of `duration_s`."""
    standing = of_length(standing_in(row), round(duration_s * 1000) if duration_s else None)
    coverage = standing.coverage
    missing = gaps(standing.played, standing.duration_ms) if standing.duration_ms else []
    return SeenVideo(
        video_id=row.video_id,
        video_title=row.video.title,
        position_s=standing.position_s,
        duration_s=duration_s or (standing.duration_ms / 1000 if standing.duration_ms else None),
        coverage=None if coverage is None else round(coverage, 4),
        completed=standing.is_completed,
        completed_at=row.completed_at,
        liked=row.liked_at is not None,
        last_played_at=row.last_played_at,
        missing=[[start / 1000, end / 1000] for start, end in missing],
    )


def standing_in(row: VideoProgress) -> Standing:
    """The standing that a row holds."""
    return Standing(
        pk=row.pk,
        version=row.version,
        played=row.played,
        covered_ms=row.covered_ms,
        duration_ms=row.duration_ms,
        position_s=row.position_s,
        is_counted=row.is_counted,
        is_completed=row.completed_at is not None,
    )


def _json(spans: Sequence[Sequence[int]]) -> str:
    return json.dumps(spans, separators=(",", ":"))
