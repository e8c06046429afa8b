"""What one session adds to the figures, in whole numbers, so that adding and taking back is exact."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from videos.models import EngagementKind, PlaybackSession

RETENTION_MAX_S = 24 * 3600
COUNTED_EVENTS = {EngagementKind.CTA_CLICK: "cta_clicks", EngagementKind.SHARE: "shares"}
"""The counter of each kind of event that counts every time; a like counts once for its viewer, by their progress."""


@dataclass(frozen=True, kw_only=True)
class Contribution:
    """`counts` by the name of the counter; `runs` are seconds of the copy `asset_id`, `(from, to, times played)`."""

    counts: Mapping[str, int] = field(default_factory=dict)
    asset_id: int | None = None
    runs: tuple[tuple[int, int, int], ...] = ()

    def as_snapshot(self) -> dict[str, Any]:
        """What PlaybackSession.rolled_up keeps."""
        counts = {name: count for name, count in self.counts.items() if count}
        return {"counts": counts, "asset": self.asset_id, "runs": [list(run) for run in self.runs]}


def contribution_of(session: PlaybackSession, events: Mapping[str, int], duration_ms: int | None) -> Contribution:
    """What `session` is worth now; `events` are the numbers of its COUNTED_EVENTS by kind.

    Sessions that do not count, and those in which nothing was played, are worth nothing.
    """
    if not session.is_counted or session.played_at is None:
        return Contribution(asset_id=session.asset_id)
    counts = Counter(
        views=1,
        watched_ms=session.watched_ms,
        stall_ms_sum=session.stall_ms,
        stall_count=session.stall_count,
        error_count=session.error_count,
    )
    if duration_ms:
        counts += Counter(coverage_count=1)
        counts["coverage_permille_sum"] = min(session.covered_ms * 1000 // duration_ms, 1000)
    if session.startup_ms is not None:
        counts["startup_count"], counts["startup_ms_sum"] = 1, session.startup_ms
    for kind, number in events.items():
        counts[COUNTED_EVENTS[EngagementKind(kind)]] += number
    return Contribution(counts=counts, asset_id=session.asset_id, runs=tuple(_runs(session.played)))


def held_contribution(snapshot: Mapping[str, Any] | None) -> Contribution:
    """What the figures hold of a session already, by its snapshot."""
    if not snapshot:
        return Contribution()
    runs = tuple((first, end, times) for first, end, times in snapshot["runs"])
    return Contribution(counts=snapshot["counts"], asset_id=snapshot["asset"], runs=runs)


def changed_counts(new: Contribution, held: Contribution) -> Counter[str]:
    """What has to be added to the counters so that they hold `new` instead of `held`."""
    difference = Counter(new.counts)
    difference.subtract(held.counts)
    return difference


def changed_seconds(new: Contribution, held: Contribution) -> list[tuple[int, int, int]]:
    """The stretches of seconds of `new`'s copy that were played more or less often, `(from, to, more)`."""
    steps: Counter[int] = Counter()
    _add_steps(steps, new.runs, 1)
    if held.asset_id == new.asset_id:
        _add_steps(steps, held.runs, -1)
    return _stretches(steps)


def sum_of_stretches(stretches: Iterable[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    """Overlapping stretches as disjoint ones, in order."""
    steps: Counter[int] = Counter()
    _add_steps(steps, stretches, 1)
    return _stretches(steps)


def _runs(played: Iterable[Iterable[int]]) -> Iterable[tuple[int, int, int]]:
    """A second is played when its middle is, so that stretches that touch never count a second twice."""
    for from_ms, to_ms, times in played:
        first, end = (from_ms + 500) // 1000, min((to_ms + 500) // 1000, RETENTION_MAX_S)
        if first < end:
            yield first, end, times


def _add_steps(steps: Counter[int], runs: Iterable[tuple[int, int, int]], sign: int) -> None:
    for first, end, times in runs:
        steps[first] += sign * times
        steps[end] -= sign * times


def _stretches(steps: Counter[int]) -> list[tuple[int, int, int]]:
    stretches, level, start = [], 0, 0
    for second in sorted(second for second, step in steps.items() if step):
        if level:
            stretches.append((start, second, level))
        level, start = level + steps[second], second
    return stretches
