"""Which renditions are made of a source, and how: by preset, never above the source."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import Any

GOP_S = 2
RATE_MAX = 60
KBITS_MIN = 200
FAST_RATE, FAST_FACTOR = 31, 1.5
USUAL_RATES = tuple(Fraction(text) for text in ("24000/1001", "24", "25", "30000/1001", "30", "50", "60000/1001", "60"))
_NEAR = Fraction(2, 100)
_WHOLE = Fraction(1)
_NEARLY = Fraction(5, 4)
_SAME = Fraction(5, 10_000)


@dataclass(frozen=True, kw_only=True)
class Quality:
    """`preset` and `crf` are x264's; `kbits` are the peak rates in kbit/s at 30 frames/s by rung, highest first."""

    preset: str
    crf: int
    kbits: Mapping[int, int]


QUALITIES = {
    "high": Quality(preset="medium", crf=20, kbits={1080: 6500, 720: 3600, 480: 1700}),
    "medium": Quality(preset="veryfast", crf=22, kbits={1080: 5000, 720: 2800, 480: 1400}),
    "low": Quality(preset="superfast", crf=25, kbits={720: 2200, 480: 1100}),
}


@dataclass(frozen=True, kw_only=True)
class Rendition:
    """One picture of the ladder, in pixels; `kbits` is its peak rate in kbit/s."""

    name: str
    width: int
    height: int
    kbits: int

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def quality_of(preset: str) -> Quality:
    return QUALITIES.get(preset, QUALITIES["medium"])


def ladder(width: int, height: int, rate: Fraction, *, preset: str) -> Sequence[Rendition]:
    """The renditions of a source of these pixels as it is shown, largest first.

    A rung of 1080 is what fits 1920 x 1080, lying or upright. A source that nearly fills a rung keeps its own size
    there, and so does one that is smaller than all of them.
    """
    quality = quality_of(preset)
    scales = {rung: _scale(rung, width, height) for rung in quality.kbits}
    rungs = [rung for rung, scale in scales.items() if scale < _NEARLY] or [min(width, height)]
    return [_rendition(rung, min(scales.get(rung, _WHOLE), _WHOLE), width, height, rate, quality) for rung in rungs]


def _scale(rung: int, width: int, height: int) -> Fraction:
    """What a source is scaled by to fit a rung; more than 1 for a rung that it does not fill."""
    return min(Fraction(rung, min(width, height)), Fraction(rung * 16, 9 * max(width, height)))


def _rendition(rung: int, scale: Fraction, width: int, height: int, rate: Fraction, quality: Quality) -> Rendition:
    wide, high = _even(width * scale, width), _even(height * scale, height)
    known = min((usual for usual in quality.kbits if usual >= rung), default=max(quality.kbits))
    share = min(1.0, rung / known) ** 2 * (FAST_FACTOR if rate > FAST_RATE else 1)
    kbits = max(KBITS_MIN, round(quality.kbits[known] * share))
    return Rendition(name=f"v{min(wide, high)}", width=wide, height=high, kbits=kbits)


def _even(wanted: Fraction, most: int) -> int:
    """The even number nearest to `wanted`, never above `most` and at least 2, as 4:2:0 needs it."""
    return max(2, min(round(wanted / 2) * 2, most // 2 * 2))


def constant_rate(average: Fraction, nominal: Fraction) -> Fraction:
    """The frame rate to encode at, when ffprobe tells these two of the source, 0 where it cannot.

    The nominal one, at which no frame is lost; it is meaningless, mostly huge, for films whose frames come anyhow.
    """
    if 0 < nominal <= RATE_MAX and average <= nominal * (1 + _NEAR):
        return max(_usual(nominal), Fraction(1))
    if nominal > RATE_MAX and abs(average - nominal) <= nominal * _NEAR:
        return Fraction(60000, 1001) if nominal.denominator == 1001 else Fraction(RATE_MAX)
    return next((usual for usual in USUAL_RATES if usual >= (average or 25) * (1 - _NEAR)), Fraction(RATE_MAX))


def _usual(rate: Fraction) -> Fraction:
    """29.97 is meant to be 30000/1001."""
    near = min(USUAL_RATES, key=lambda usual: abs(usual - rate))
    return near if abs(near - rate) <= near * _SAME else rate


def gop_frames(rate: Fraction) -> int:
    """Frames from one key frame to the next: two seconds of them."""
    return max(1, round(GOP_S * rate))
