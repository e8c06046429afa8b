"""Sessions into figures: every so often, what changed of a session since it was last rolled up is added.

A session's row keeps what the figures hold of it (`rolled_up`). The difference to what it is worth now, the figures
and the new snapshot are written in one transaction under the session's lock, so that a crash, a repetition or a second
worker changes nothing, and a heartbeat that comes meanwhile waits and leaves the session due again.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import UTC, date, datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Count, F, Q
from django.utils import timezone

from videos.models import EngagementEvent, PlaybackSession, VideoProgress
from videos.services.contributions import (
    COUNTED_EVENTS,
    changed_counts,
    changed_seconds,
    contribution_of,
    held_contribution,
    sum_of_stretches,
)
from videos.services.figures import add_to_days, add_to_retention, add_to_totals

BATCH = 25
_LIKE_CHANGED = Q(liked_at__isnull=False, like_tallied_at=None) | Q(liked_at=None, like_tallied_at__isnull=False)
_READ = (
    *("pk", "video_id", "asset_id", "progress_id", "is_counted", "created_at", "played_at", "played", "watched_ms"),
    *("covered_ms", "startup_ms", "stall_count", "stall_ms", "error_count", "rollup_due_at", "rolled_up"),
)


class _Changes:
    """What one batch adds, gathered by row."""

    def __init__(self) -> None:
        self.totals: defaultdict[UUID, Counter[str]] = defaultdict(Counter)
        self.days: defaultdict[tuple[UUID, date], Counter[str]] = defaultdict(Counter)
        self.seconds: defaultdict[int, list[tuple[int, int, int]]] = defaultdict(list)

    def add(self, video_id: UUID, moment: datetime, counts: Counter[str]) -> None:
        self.totals[video_id].update(counts)
        self.days[video_id, moment.astimezone(UTC).date()].update(counts)

    def write(self) -> None:
        add_to_totals(self.totals)
        add_to_days(self.days)
        add_to_retention({pk: sum_of_stretches(stretches) for pk, stretches in self.seconds.items()})


def roll_up(*, limit: int = 10_000) -> int:
    """Add what changed of at most `limit` due sessions to the figures; gives how many sessions were looked at.

    Each 25 have a short transaction of their own, so that other writers never wait long.
    """
    done = 0
    while done < limit:
        handled = _roll_up_batch(min(BATCH, limit - done))
        if not handled:
            break
        done += handled
    return done


@transaction.atomic
def _roll_up_batch(size: int) -> int:
    sessions = _due(size)
    if sessions:
        changes = _Changes()
        _take_sessions(sessions, changes)
        _take_firsts(sessions, changes)
        changes.write()
        PlaybackSession.objects.bulk_update(sessions, ["rolled_up", "rollup_due_at"])
    return len(sessions)


def _due(size: int) -> list[PlaybackSession]:
    due = PlaybackSession.objects.filter(rollup_due_at__lte=timezone.now()).order_by("rollup_due_at")
    locked = due.select_for_update(of=("self",), skip_locked=True, no_key=True).only(*_READ)
    durations = {"asset_duration_s": F("asset__duration_s"), "progress_duration_ms": F("progress__duration_ms")}
    return list(locked.annotate(**durations)[:size])


def _take_sessions(sessions: Sequence[PlaybackSession], changes: _Changes) -> None:
    events = _events_of(sessions)
    for session in sessions:
        new = contribution_of(session, events[session.pk], _duration_ms(session))
        held = held_contribution(session.rolled_up)
        changes.add(session.video_id, session.created_at, changed_counts(new, held))
        if new.asset_id is not None:
            changes.seconds[new.asset_id] += changed_seconds(new, held)
        session.rolled_up = new.as_snapshot() if new.counts else None
        session.rollup_due_at = None


def _take_firsts(sessions: Sequence[PlaybackSession], changes: _Changes) -> None:
    """Count each viewer, each completion and each like of a video once, whatever the number of sessions."""
    played = {session.progress_id for session in sessions if session.rolled_up is not None}
    counted = {session.progress_id for session in sessions if session.is_counted}
    is_new = Q(is_viewer_tallied=False) | Q(is_completion_tallied=False, completed_at__isnull=False)
    is_new = Q(is_new, pk__in=played - {None}) | Q(_LIKE_CHANGED, is_viewer_tallied=True, pk__in=counted - {None})
    untallied = VideoProgress.objects.filter(is_new).order_by("pk")
    rows = list(untallied.select_for_update(no_key=True).defer("played"))
    for row in rows:
        if row.pk in played:
            _take_first_view(row, changes)
        _take_like(row, changes)
    if rows:
        VideoProgress.objects.bulk_update(rows, ["is_viewer_tallied", "is_completion_tallied", "like_tallied_at"])


def _take_first_view(row: VideoProgress, changes: _Changes) -> None:
    if not row.is_viewer_tallied:
        changes.add(row.video_id, row.first_played_at, Counter(viewers=1))
        row.is_viewer_tallied = True
    if row.completed_at is not None and not row.is_completion_tallied:
        changes.add(row.video_id, row.completed_at, Counter(completions=1))
        row.is_completion_tallied = True


def _take_like(row: VideoProgress, changes: _Changes) -> None:
    """One for a viewer who likes the video, however often they said so, and none once that is taken back."""
    if row.liked_at is not None and row.like_tallied_at is None:
        changes.add(row.video_id, row.liked_at, Counter(likes=1))
        row.like_tallied_at = row.liked_at
    elif row.liked_at is None and row.like_tallied_at is not None:
        changes.add(row.video_id, row.like_tallied_at, Counter(likes=-1))
        row.like_tallied_at = None


def _events_of(sessions: Sequence[PlaybackSession]) -> dict[int, dict[str, int]]:
    found: dict[int, dict[str, int]] = {session.pk: {} for session in sessions}
    rows = EngagementEvent.objects.filter(session_id__in=found, kind__in=COUNTED_EVENTS).order_by()
    for session_id, kind, number in rows.values_list("session_id", "kind").annotate(number=Count("pk")):
        found[session_id][kind] = number
    return found


def _duration_ms(session: PlaybackSession) -> int | None:
    asset_s: float | None = vars(session)["asset_duration_s"]
    progress_ms: int | None = vars(session)["progress_duration_ms"]
    return round(asset_s * 1000) if asset_s else progress_ms
