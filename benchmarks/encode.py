"""A whole encoding of ours, step by step in one worker, beside one bare ffmpeg command that makes the same ladder.

`python -m benchmarks encode`; neither wrk nor a database is needed.
"""

import subprocess
import tempfile
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from uuid import uuid4

from videos.hosted.encoders.ffmpeg import FfmpegEncoder
from videos.hosted.encoders.ffmpeg.ladder import ladder, quality_of
from videos.hosted.encoders.ffmpeg.tools import find
from videos.hosted.seams.encoder import DoneStep, Encryption, StepOrder, StepWork
from videos.hosted.stores.local import LocalStore

SECONDS = 30
PRESET = "medium"
ROUNDS = 2
WANTED = 1.10
SOURCE = "film/source"


def measure() -> None:
    """Print the seconds of both, the best of two rounds each, and the share of packaging."""
    with tempfile.TemporaryDirectory(prefix="eleven-tutors-encode-") as folder:
        store = LocalStore(root=folder)
        source = store.path_of(SOURCE)
        source.parent.mkdir()
        _film(source)
        bare_s, ours = float("inf"), []
        for number in range(ROUNDS):
            bare_s = min(bare_s, _timed(lambda number=number: _bare(source, Path(folder, f"bare{number}"))))
            ours.append(_ours(store, Path(folder)))
    best = min(ours, key=lambda steps: sum(steps.values()))
    total_s = sum(best.values())
    print(f"\nEncoding {SECONDS} s of 1080p30, preset {PRESET}, one worker\n")
    print("| what | seconds | share |\n|---|---|---|")
    for name, seconds in best.items():
        print(f"| {name} | {seconds:.2f} | {seconds / total_s:.0%} |")
    print(f"| whole encoding | {total_s:.2f} | {SECONDS / total_s:.1f} times real time |")
    print(
        f"| one bare ffmpeg command, same ladder | {bare_s:.2f} | ratio {total_s / bare_s:.2f}, wanted {WANTED:.2f} |"
    )


def _timed(do: Callable[[], object]) -> float:
    start = time.perf_counter()
    do()
    return time.perf_counter() - start


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


def _ours(store: LocalStore, folder: Path) -> dict[str, float]:
    """Seconds by kind of step."""
    encoder, encryption = FfmpegEncoder(), Encryption(scheme="cbcs", kid=uuid4(), key=bytes(16), iv=bytes(16))
    prefix, spent, done = f"film/w/{uuid4().hex}/", {}, []
    stage = encoder.first_steps(preset=PRESET)
    while stage:
        finished = []
        for step in stage:
            start = time.perf_counter()
            outcome = encoder.run(_work(step, store, folder, prefix, done, encryption)).outcome
            spent[step.kind] = spent.get(step.kind, 0.0) + time.perf_counter() - start
            finished.append(DoneStep(kind=step.kind, number=step.number, order=step.order, outcome=outcome))
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
