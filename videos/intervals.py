"""Algebra of stretches of time, in whole milliseconds.

Spans are `[from, to]`, steps `[from, to, times]`; both half open, in order, and never empty. Nothing here invents time
that was not there: rounding and limits may lose some, never add any.
"""

from collections.abc import Iterable, Sequence

Spans = list[list[int]]


def merged(spans: Iterable[Sequence[int]]) -> Spans:
    """The distinct time of `spans`, whatever their order; spans that touch become one."""
    result: Spans = []
    for start, end in sorted((span[0], span[1]) for span in spans):
        if end <= start:
            continue
        if result and start <= result[-1][1]:
            result[-1][1] = max(result[-1][1], end)
        else:
            result.append([start, end])
    return result


def stepped(steps: Iterable[Sequence[int]], spans: Iterable[Sequence[int]]) -> Spans:
    """`steps` after each of `spans` was played once more: `[[from, to, times], …]`."""
    changes: dict[int, int] = {}
    for start, end, times in ((part[0], part[1], part[2] if len(part) > 2 else 1) for part in (*steps, *spans)):
        if end > start:
            changes[start] = changes.get(start, 0) + times
            changes[end] = changes.get(end, 0) - times
    result: Spans = []
    level, since = 0, 0
    for moment in sorted(changes):
        if not changes[moment]:
            continue
        if level:
            result.append([since, moment, level])
        level, since = level + changes[moment], moment
    return result


def total(spans: Iterable[Sequence[int]]) -> int:
    """The length of spans or steps; of distinct ones, the time that they cover."""
    return sum(span[1] - span[0] for span in spans)


def watched(steps: Iterable[Sequence[int]]) -> int:
    """The time played, replays included."""
    return sum((end - start) * times for start, end, times in steps)


def clipped(spans: Iterable[Sequence[int]], end: int) -> Spans:
    """The part of spans or steps that lies within `[0, end]`."""
    cut = ([max(span[0], 0), min(span[1], end), *span[2:]] for span in spans)
    return [span for span in cut if span[1] > span[0]]


def shortened(spans: Iterable[Sequence[int]], most: int) -> Spans:
    """The first `most` ms of spans, in the order given."""
    result: Spans = []
    for start, end in spans:
        length = min(end - start, most)
        if length > 0:
            result.append([start, start + length])
            most -= length
    return result


def scaled(spans: Iterable[Sequence[int]], old: int, new: int) -> Spans:
    """Spans of a video of `old` ms as the same shares of one of `new` ms, rounded inwards."""
    moved = ([-(-start * new // old), end * new // old] for start, end in spans)
    return [span for span in moved if span[1] > span[0]]


def gaps(spans: Iterable[Sequence[int]], end: int, *, at_least: int = 1000) -> Spans:
    """What of `[0, end]` distinct, ordered `spans` leave out, gaps shorter than `at_least` overlooked."""
    result, since = [], 0
    for start, until in (*clipped(spans, end), (end, end)):
        if start - since >= max(at_least, 1):
            result.append([since, start])
        since = until
    return result


def bounded(spans: Spans, most: int) -> Spans:
    """At most `most` spans or steps: the longest ones, still in order."""
    if len(spans) <= most:
        return spans
    longest = sorted(spans, key=lambda span: (span[0] - span[1], span[0]))[:most]
    return sorted(longest)


def has_number(ranges: Iterable[Sequence[int]], number: int) -> bool:
    """Whether `number` lies in one of the closed ranges `[[first, last], …]`."""
    return any(first <= number <= last for first, last in ranges)


def with_number(ranges: Sequence[Sequence[int]], number: int, *, most: int) -> Spans:
    """The closed ranges with `number` among them; past `most` ranges the lowest ones grow together."""
    if ranges and ranges[-1][0] <= number == ranges[-1][1] + 1:
        return [*map(list, ranges[:-1]), [ranges[-1][0], number]]
    halves = merged([(first, last + 1) for first, last in (*ranges, (number, number))])
    result = [[start, end - 1] for start, end in halves]
    extra = len(result) - most
    return [[result[0][0], result[extra][1]], *result[extra + 1 :]] if extra > 0 else result
