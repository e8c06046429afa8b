"""A film that is encoded in stretches is the film that one encoding would have made, frame by frame."""

import subprocess
from fractions import Fraction

import pytest

from videos.hosted.encoders.ffmpeg import FfmpegEncoder, joining
from videos.hosted.seams.encoder import DoneStep, StepOrder
from videos.hosted.tests.encoding import frames, made, store_with, work_of
from videos.hosted.tests.tools import FFMPEG

ENCODED = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p")
STEP, SHADES = 37, 211
FRAMES = 210


def numbered(name, *arguments, rate="30", chosen="null"):
    """A film of 210 frames, each of one shade of grey that tells its number; begins with a frame of its own GOP."""
    shades = f"nullsrc=size=64x36:rate={rate},geq=lum='16+mod(N*{STEP},{SHADES})':cb=128:cr=128,trim=end_frame={FRAMES}"
    return made(name, "-f", "lavfi", "-i", f"{shades},{chosen}", *ENCODED, *arguments)


def ntsc():
    return numbered("ntsc.mp4", "-g", "50", rate="30000/1001")


def late():
    """Begins at 1.4 s and 5 s more, as recordings of a running stream do."""
    return numbered("late.ts", "-g", "45", "-bf", "2", "-output_ts_offset", "5", "-f", "mpegts")


def irregular():
    """Every third frame is missing, and it stands still for nearly three seconds, over where two stretches meet."""
    some = "select='not(between(n,50,130))*mod(n,3)'"
    return numbered("irregular.mkv", "-fps_mode", "vfr", "-g", "300", chosen=some)


def as_it_is_shown(name):
    """The number of the frame that `irregular` shows when frame `name` is due."""
    return max(at for at in range(1, name + 1) if at % 3 and not 50 <= at <= 130)


def shown(path):
    """The numbers of the frames of a film, read from their shades."""
    read = [FFMPEG, "-v", "error", "-i", path, "-vf", "scale=2:2,format=yuv420p", "-f", "rawvideo", "-"]
    greys = subprocess.run(read, capture_output=True, check=True).stdout[::6]
    shades = [(16 + at * STEP % SHADES) for at in range(FRAMES)]
    return [min(range(FRAMES), key=lambda at, grey=grey: abs(shades[at] - grey)) for grey in greys]


def whole(path, chunk_s):
    """(number of stretches, the joined file, its frame rate)"""
    store, encoder = store_with(path), FfmpegEncoder(chunk_s=chunk_s)
    done = []
    for stage in range(2):
        steps = encoder.next_steps(done, preset="low") if stage else encoder.first_steps(preset="low")
        done += [
            DoneStep(kind=step.kind, number=step.number, order=step.order, outcome=encoder.run(work).outcome)
            for step in steps
            for work in [work_of(step, store, done)]
        ]
    rate = Fraction(done[0].outcome["info"]["frame_rate"])
    work = work_of(StepOrder(kind="package"), store, done)
    name = joining.joined(work, "v36", rate, ffmpeg=FFMPEG, beat=lambda: None)
    return sum(step.kind == "video" for step in done), work.folder / name, rate


@pytest.mark.parametrize(
    ("make", "rate", "wanted"),
    [
        (ntsc, "30000/1001", list(range(FRAMES))),
        (late, "30", list(range(FRAMES))),
        (irregular, "30", [as_it_is_shown(at) for at in range(1, FRAMES)]),
    ],
)
def test_a_film_made_in_stretches_has_every_frame_at_its_place(make, rate, wanted):
    pieces, cut, cut_rate = whole(make(), 2)
    assert pieces >= 3
    assert cut_rate == Fraction(rate)
    assert [pts for pts, _ in frames("-i", cut)] == list(range(len(wanted)))
    assert shown(cut) == wanted
