"""A package again under another key, out of the package that is played: nothing is encoded anew."""

import json
import shutil
from collections.abc import Callable, Sequence
from fractions import Fraction

from videos.hosted.encoders.ffmpeg import joining, package, pictures, running, shaka, source, transport
from videos.hosted.encoders.ffmpeg.ladder import USUAL_RATES
from videos.hosted.encoders.ffmpeg.tools import Tools
from videos.hosted.seams.encoder import EncodeFailed, EncodeInterrupted, Encryption, StepOutcome, StepWork
from videos.providers import failures


def make(work: StepWork, *, tools: Tools) -> StepOutcome:
    """Do the `repackage` step; raises EncodeFailed, EncodeInterrupted, ToolFailed or FileMissing."""
    formerly = work.formerly or Encryption(scheme="open")
    names = [row["name"] for row in work.former_renditions if row["name"] != "a"]

    def beat() -> None:
        work.progress(0.2)

    is_transport = any(name.endswith(".ts") for name in transport.segments_of(work.former_manifests, names[0]))
    (_from_transport if is_transport else _from_fragments)(work, names, formerly, tools, beat)
    contents = package.Contents(
        names=names,
        has_audio=(work.folder / "a.mp4").exists(),
        rate=_rate(work.former_renditions[0].get("frame_rate")),
        duration_s=_duration(work, names[0], tools),
        pictures=_carry_pictures(work),
    )
    return package.finish(work, contents, tools=tools)


def _from_fragments(
    work: StepWork, names: Sequence[str], formerly: Encryption, tools: Tools, beat: Callable[[], None]
) -> None:
    wanted = [*names, *(["a"] if "a.m3u8" in work.former_manifests else [])]
    is_open = formerly.scheme == "open"
    if not tools.packager and not is_open:
        raise EncodeFailed(failures.TOOLS_MISSING, "shaka-packager is missing, which made the package before.")
    for name in wanted:
        beat()
        as_name = f"{name}.mp4" if is_open else f"{name}.former.mp4"
        source.bring(work.store, f"{work.former_prefix}{name}.mp4", work.folder, as_name)
    if not is_open:
        shaka.decrypt(work.folder, wanted, encryption=formerly, packager=tools.packager, beat=beat)


def _from_transport(
    work: StepWork, names: Sequence[str], formerly: Encryption, tools: Tools, beat: Callable[[], None]
) -> None:
    for at, name in enumerate(names):
        segments = []
        for number, segment in enumerate(transport.segments_of(work.former_manifests, name)):
            beat()
            segments.append(source.bring(work.store, work.former_prefix + segment, work.folder, f"{name}.{number}.ts"))
        transport.decrypt(segments, work.folder / f"{name}.ts", formerly, beat=beat)
        _out_of_transport(work, name, tools, beat, with_sound=at == 0)
        for path in (*segments, work.folder / f"{name}.ts"):
            path.unlink()


def _out_of_transport(work: StepWork, name: str, tools: Tools, beat: Callable[[], None], *, with_sound: bool) -> None:
    """`<name>.mp4`, and `a.mp4` of the same stream, both counted from the picture's first frame."""
    streams = _streams(work, f"{name}.ts", tools)
    starts_s = [float(row["start_time"]) for row in streams if row["codec_type"] == "video"]
    if not starts_s:
        raise EncodeInterrupted(f"There is no picture in {name} of the former package.")
    offset = ["-copyts", "-i", f"{name}.ts", "-output_ts_offset", f"{-starts_s[0]:.6f}"]
    joining.copy(work.folder, [*offset, "-map", "0:v:0"], f"{name}.mp4", ffmpeg=tools.ffmpeg, beat=beat)
    if with_sound and any(row["codec_type"] == "audio" for row in streams):
        joining.copy(work.folder, [*offset, "-map", "0:a:0"], "a.mp4", ffmpeg=tools.ffmpeg, beat=beat)


def _streams(work: StepWork, name: str, tools: Tools) -> list[dict[str, str]]:
    asked = [
        tools.ffprobe,
        "-v",
        "error",
        "-show_entries",
        "stream=codec_type,start_time,duration",
        "-of",
        "json",
        name,
    ]
    said = running.run(running.Command(argv=asked, folder=work.folder, limits=joining.JOIN_LIMITS))
    return list(json.loads(said)["streams"])


def _duration(work: StepWork, name: str, tools: Tools) -> float:
    return float(_streams(work, f"{name}.mp4", tools)[0]["duration"])


def _rate(told: object) -> Fraction:
    """The frame rate that a package tells in three decimals."""
    rate = Fraction(str(told or 25))
    near = min(USUAL_RATES, key=lambda usual: abs(usual - rate))
    return near if abs(near - rate) < Fraction(1, 1000) else rate.limit_denominator(1001)


def _carry_pictures(work: StepWork) -> dict[str, object]:
    out = work.folder / shaka.OUT
    out.mkdir(exist_ok=True)
    if not work.former_pictures:
        return {}
    for name in (pictures.POSTER, pictures.SPRITE):
        shutil.copyfile(source.bring(work.store, work.former_prefix + name, work.folder, name), out / name)
    return dict(work.former_pictures)
