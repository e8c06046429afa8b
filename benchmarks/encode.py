"""A whole encoding of ours, step by step in one worker, beside one bare ffmpeg command that makes the same ladder.

`python -m benchmarks encode`; neither wrk nor a database is needed.
"""

import resource
import subprocess
import tempfile
import time
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

from videos.hosted.encoders.ffmpeg import FfmpegEncoder
from videos.hosted.encoders.ffmpeg.ladder import ladder, quality_of
from videos.hosted.encoders.ffmpeg.tools import find
from videos.hosted.seams.encoder import DoneStep, Encryption, StepOrder, StepOutcome, StepWork
from videos.hosted.stores.local import LocalStore

SECONDS = 30
PRESET = "medium"
ROUNDS = 2
WANTED = 1.10
SOURCE = "film/source"


def measure() -> None:
    """Print the seconds of both, the best of some rounds, and the share of packaging."""
    with tempfile.TemporaryDirectory(prefix="eleven-tutors-encode-") as folder:
        store = LocalStore(root=folder)
        source = store.path_of(SOURCE)
        source.parent.mkdir()
        _film(source)
        bare, ours = [], []
        for number in range(ROUNDS):
            bare.append(_spent(partial(_bare, source, Path(folder, f"bare{number}"))))
            ours.append(_ours(store, Path(folder)))
    bare_best = _Spent(*(min(column) for column in zip(*bare, strict=True)))
    best = {
        kind: _Spent(*(min(column) for column in zip(*(one[kind] for one in ours), strict=True))) for kind in ours[0]
    }
    total = _Spent(*(sum(column) for column in zip(*best.values(), strict=True)))
    print(f"\nEncoding {SECONDS} s of 1080p30, preset {PRESET}, one worker\n")
    print("| what | seconds | share | CPU seconds |\n|---|---|---|---|")
    for name, spent in best.items():
        print(f"| {name} | {spent.wall_s:.2f} | {spent.wall_s / total.wall_s:.0%} | {spent.cpu_s:.2f} |")
    print(f"| whole encoding | {total.wall_s:.2f} | | {total.cpu_s:.2f} |")
    print(f"| one bare ffmpeg command, same ladder | {bare_best.wall_s:.2f} | | {bare_best.cpu_s:.2f} |")
    ratios = f"{total.wall_s / bare_best.wall_s:.2f} | wanted {WANTED:.2f} | {total.cpu_s / bare_best.cpu_s:.2f}"
    print(f"| ratio | {ratios} |")


class _Spent(NamedTuple):
    """The seconds on the clock mean little beside other work; those of the processors do."""

    wall_s: float
    cpu_s: float


def _spent(do: Callable[[], object]) -> _Spent:
    start, before = time.perf_counter(), _cpu_s()
    do()
    return _Spent(time.perf_counter() - start, _cpu_s() - before)


def _cpu_s() -> float:
    """Of all children that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _film(path: Path) -> None:
    picture = f"testsrc2=size=1920x1080:rate=30:duration={SECONDS},noise=alls=8:allf=t"
    command = [find().ffmpeg, "-nostdin", "-v", "error", "-f", "lavfi", "-i", picture]
    command += ["-f", "lavfi", "-i", f"sine=frequency=440:sample_rate=48000:duration={SECONDS}"]
    command += ["-c:v", "libx264", "-preset", "ultrafast", "-crf", "24", "-pix_fmt", "yuv420p", "-c:a", "aac"]
    subprocess.run([*command, "-f", "mp4", path], check=True)


def _bare(source: Path, folder: Path) -> None:
    folder.mkdir()
    rungs, quality = ladder(1920, 1080, Fraction(30), preset=PRESET), quality_of(PRESET)
    split = f"[0:v]split={len(rungs)}" + "".join(f"[in{at}]" for at in range(len(rungs)))
    scaled = [f"[in{at}]scale={rung.width}:{rung.height}[{rung.name}]" for at, rung in enumerate(rungs)]
    command = [
        find().ffmpeg,
        "-nostdin",
        "-v",
        "error",
        "-i",
        str(source),
        "-filter_complex",
        ";".join([split, *scaled]),
    ]
    for rung in rungs:
        command += ["-map", f"[{rung.name}]", "-c:v", "libx264", "-preset", quality.preset, "-crf", str(quality.crf)]
        command += ["-maxrate", f"{rung.kbits}k", "-bufsize", f"{rung.kbits * 2}k", "-pix_fmt", "yuv420p"]
        command += ["-g", "60", "-keyint_min", "60", "-sc_threshold", "0", str(folder / f"{rung.name}.mp4")]
    command += ["-map", "0:a", "-c:a", "aac", "-b:a", "128k", "-ac", "2", str(folder / "a.mp4")]
    subprocess.run(command, check=True)


def _ours(store: LocalStore, folder: Path) -> dict[str, _Spent]:
    """What each kind of step takes; here there is one of each."""
    encoder, encryption = FfmpegEncoder(), Encryption(scheme="cbcs", kid=uuid4(), key=bytes(16), iv=bytes(16))
    prefix = f"film/w/{uuid4().hex}/"
    spent: dict[str, _Spent] = {}
    done: list[DoneStep] = []
    stage = encoder.first_steps(preset=PRESET)
    while stage:
        finished = []
        for step in stage:
            given: list[StepOutcome] = []
            work = _work(step, store, folder, prefix, done, encryption)
            spent[step.kind] = _spent(lambda work=work, given=given: given.append(encoder.run(work)))
            finished.append(DoneStep(kind=step.kind, number=step.number, order=step.order, outcome=given[0].outcome))
        done = done + finished
        stage = encoder.next_steps(done, preset=PRESET)
    return spent


def _work(
    step: StepOrder, store: LocalStore, folder: Path, prefix: str, done: list[DoneStep], encryption: Encryption
) -> StepWork:
    return StepWork(
        step=step,
        done=done,
        store=store,
        source_key=SOURCE,
        source_info={},
        work_prefix=prefix,
        folder=Path(tempfile.mkdtemp(prefix="work-", dir=folder)),
        preset=PRESET,
        encryption=encryption,
        progress=lambda share: None,
    )
