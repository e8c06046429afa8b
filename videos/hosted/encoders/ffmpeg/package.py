"""The package: renditions and sound, encrypted, with what manifests and players must know of them."""

import math
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from typing import Any

from videos.hosted.encoders.ffmpeg import audio, joining, pictures, pieces, shaka, transport
from videos.hosted.encoders.ffmpeg.ladder import gop_frames
from videos.hosted.encoders.ffmpeg.tools import Tools
from videos.hosted.seams.encoder import EncodeFailed, Encryption, Packaged, StepOutcome, StepWork
from videos.providers import failures

GOPS_PER_SEGMENT = 2
TYPES = {".mp4": "video/mp4", ".ts": "video/mp2t", ".jpg": "image/jpeg"}
MANIFESTS = (".m3u8", ".mpd")
_SHARE_JOINED = 0.4
_VARIANT = re.compile(r"^#EXT-X-STREAM-INF:(.*)\n([^#\n]+)\.m3u8$", re.MULTILINE)
_ATTRIBUTE = re.compile(r'([A-Z-]+)=("[^"]*"|[^",]*)')


@dataclass(frozen=True, kw_only=True)
class Contents:
    """What lies in the private folder, in the clear: `<name>.mp4` of all `names`, and `a.mp4` with sound."""

    names: Sequence[str]
    has_audio: bool
    rate: Fraction
    duration_s: float
    pictures: Mapping[str, Any]


def make(work: StepWork, *, tools: Tools) -> StepOutcome:
    """Do the `package` step; raises EncodeFailed, EncodeInterrupted, ToolFailed or FileMissing."""
    plan = pieces.plan_of(work)
    rate, names = Fraction(plan["info"]["frame_rate"]), [row["name"] for row in plan["ladder"]]
    for at, name in enumerate(names):
        beat = partial(work.progress, _SHARE_JOINED * at / len(names))
        joining.joined(work, name, rate, ffmpeg=tools.ffmpeg, beat=beat)
    sounds = [done for done in pieces.of_kind(work, "audio") if done.outcome["has_audio"]]
    for done in sounds:
        pieces.fetch(work, done, audio.FILE, as_name=audio.FILE)
    contents = Contents(
        names=names,
        has_audio=bool(sounds),
        rate=rate,
        duration_s=float(joining.frames_of(work) / rate),
        pictures=_bring_pictures(work),
    )
    return finish(work, contents, tools=tools)


def _bring_pictures(work: StepWork) -> Mapping[str, Any]:
    out = work.folder / shaka.OUT
    out.mkdir()
    for done in pieces.of_kind(work, "pictures"):
        for name in (pictures.POSTER, pictures.SPRITE):
            shutil.copyfile(pieces.fetch(work, done, name, as_name=name), out / name)
        return dict(done.outcome["pictures"])
    return {}


def finish(work: StepWork, contents: Contents, *, tools: Tools) -> StepOutcome:
    """Package what lies in the private folder; nothing in the clear is left there."""
    _package(work, contents, work.encryption or Encryption(scheme="open"), tools)
    out = work.folder / shaka.OUT
    for path in work.folder.iterdir():
        if path != out:
            path.unlink()
    work.progress(1)
    return StepOutcome(packaged=_packaged(work, contents))


def _package(work: StepWork, contents: Contents, encryption: Encryption, tools: Tools) -> None:
    beat = partial(work.progress, _SHARE_JOINED)
    segment_s = float(GOPS_PER_SEGMENT * gop_frames(contents.rate) / contents.rate)
    if encryption.scheme == "cbcs" and not tools.packager:
        raise EncodeFailed(failures.TOOLS_MISSING, "shaka-packager is missing.")
    if tools.packager and encryption.scheme != "aes128":
        shaka.package(
            work.folder,
            contents.names,
            has_audio=contents.has_audio,
            encryption=encryption,
            segment_s=segment_s,
            packager=tools.packager,
            beat=beat,
        )
    else:
        transport.package(
            work.folder,
            contents.names,
            has_audio=contents.has_audio,
            encryption=encryption,
            rate=contents.rate,
            segment_s=segment_s,
            tools=tools,
            beat=beat,
        )


def _packaged(work: StepWork, contents: Contents) -> Packaged:
    out = work.folder / shaka.OUT
    paths = sorted(path for path in out.rglob("*") if path.is_file())
    manifests = {path.name: path.read_text() for path in paths if path.suffix in MANIFESTS}
    files = [path.relative_to(out).as_posix() for path in paths if path.suffix not in MANIFESTS]
    for name in manifests:
        (out / name).unlink()
    return Packaged(
        folder=out,
        files={name: "audio/mp4" if name == audio.FILE else TYPES["." + name.rpartition(".")[2]] for name in files},
        manifests=manifests,
        renditions=_renditions(manifests[shaka.MASTER], contents, work),
        pictures=dict(contents.pictures),
        duration_s=contents.duration_s,
    )


def _renditions(master: str, contents: Contents, work: StepWork) -> Sequence[Mapping[str, Any]]:
    rows: list[Mapping[str, Any]] = []
    for line, name in _VARIANT.findall(master):
        told = {key: value.strip('"') for key, value in _ATTRIBUTE.findall(line)}
        width, height = (int(side) for side in told["RESOLUTION"].split("x"))
        rows.append(
            {
                "name": name,
                "width": width,
                "height": height,
                "bandwidth": int(told["BANDWIDTH"]),
                "codecs": told.get("CODECS", ""),
                "frame_rate": round(float(contents.rate), 3),
            }
        )
    rows.sort(key=lambda row: -row["height"])
    sound = work.folder / shaka.OUT / audio.FILE
    if sound.is_file():
        bandwidth = math.ceil(sound.stat().st_size * 8 / max(contents.duration_s, 0.1))
        rows.append({"name": "a", "bandwidth": bandwidth, "codecs": "mp4a.40.2"})
    return rows
