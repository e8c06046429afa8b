"""An encoder run step by step over a folder, as the jobs do it, without a database."""

import shutil
import subprocess
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

from videos.hosted.encoders.ffmpeg import FfmpegEncoder
from videos.hosted.seams.encoder import DoneStep, Encryption, StepWork
from videos.hosted.stores.local import LocalStore
from videos.hosted.tests.making import IV, KEY, KID
from videos.hosted.tests.tools import FFMPEG

CBCS = Encryption(scheme="cbcs", kid=KID, key=KEY, iv=IV)
AES128 = Encryption(scheme="aes128", kid=KID, key=KEY, iv=IV)
OPEN = Encryption(scheme="open")
SOURCE = "film/source"


def store_with(path):
    """A store of its own that holds this file as a film's original."""
    root = Path(mkdtemp(prefix="encode-"))
    store = LocalStore(root=str(root / "store"))
    target = store.path_of(SOURCE)
    target.parent.mkdir(parents=True)
    shutil.copyfile(path, target)
    return store


def work_of(step, store, done=(), **values):
    """What a worker is given for a step."""
    folder = Path(mkdtemp(prefix="work-", dir=Path(store.root).parent))
    told = {"source_key": SOURCE, "source_info": {}, "work_prefix": "film/w/1/", "preset": "low"}
    told |= {"encryption": None, "progress": lambda share: None, "folder": folder}
    return StepWork(step=step, done=tuple(done), store=store, **(told | values))


def stages(encoder, store, *, encryption=CBCS, preset="low", **values):
    """Do all steps, one after the other; gives (done steps, the package)."""
    done, packaged = [], None
    stage = encoder.first_steps(preset=preset)
    while stage:
        finished = []
        for step in stage:
            key = encryption if encoder.packages(step.kind) else None
            given = encoder.run(work_of(step, store, done, preset=preset, encryption=key, **values))
            finished.append(DoneStep(kind=step.kind, number=step.number, order=step.order, outcome=given.outcome))
            packaged = given.packaged or packaged
        done += finished
        stage = encoder.next_steps(done, preset=preset)
    return done, packaged


def encode(path, *, encryption=CBCS, preset="low", **options):
    """The package of a file."""
    return stages(FfmpegEncoder(**options), store_with(path), encryption=encryption, preset=preset)[1]


def frames(*inputs, stream="0:v:0", ffmpeg=FFMPEG):
    """(pts, md5) of every decoded frame."""
    command = [ffmpeg, "-v", "error", *inputs, "-map", stream, "-f", "framemd5", "-"]
    said = subprocess.run(command, capture_output=True, check=False).stdout.decode()
    rows = [line.split(",") for line in said.splitlines() if line and not line.startswith("#")]
    return [(int(row[2]), row[5].strip()) for row in rows]


@cache
def made(name, *arguments):
    """A file made by ffmpeg, once in a test run."""
    path = Path(mkdtemp(prefix="made-"), name)
    subprocess.run([FFMPEG, "-nostdin", "-v", "error", "-y", *arguments, str(path)], check=True, timeout=60)
    return path
