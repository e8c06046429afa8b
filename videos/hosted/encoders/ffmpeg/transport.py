"""HLS in MPEG-TS by ffmpeg alone, encrypted with AES-128 or open: what is made where the packager is missing."""

import json
import math
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext, algorithms, modes

from videos.hosted.encoders.ffmpeg import running, source
from videos.hosted.encoders.ffmpeg.shaka import LIMITS, MASTER, OUT
from videos.hosted.encoders.ffmpeg.tools import Tools
from videos.hosted.seams.encoder import EncodeInterrupted, Encryption

KEY, KEY_INFO = "key.bin", "keyinfo.txt"
BLOCK_BYTES = 1024**2
_PROFILES = {"High": "6400", "Main": "4d40", "Constrained Baseline": "42c0", "Baseline": "4200"}
_SEGMENT = re.compile(r"^(#EXTINF:.*)\n(\d+\.ts)$", re.MULTILINE)
_LENGTH = re.compile(r"^#EXTINF:([0-9.]+),\n(.+)$", re.MULTILINE)


def package(
    folder: Path,
    names: Sequence[str],
    *,
    has_audio: bool,
    encryption: Encryption,
    rate: Fraction,
    segment_s: float,
    tools: Tools,
    beat: Callable[[], None],
) -> None:
    """Package `<name>.mp4` (and `a.mp4`, into each) of the folder into its folder `out`.

    Raises ToolFailed or EncodeInterrupted.
    """
    (folder / OUT).mkdir(exist_ok=True)
    inputs = [word for name in (*names, *(["a"] if has_audio else [])) for word in ("-i", f"{name}.mp4")]
    streams, variants = [], []
    for at, name in enumerate(names):
        streams += ["-map", f"{at}:v:0"] + (["-map", f"{len(names)}:a:0"] if has_audio else [])
        variants.append(f"v:{at},a:{at},name:{name}" if has_audio else f"v:{at},name:{name}")
    with _key(folder, encryption) as flags:
        argv = [tools.ffmpeg, *source.QUIET, "-copyts", *inputs, *streams, "-c", "copy", "-f", "hls", *flags]
        argv += ["-hls_playlist_type", "vod", "-hls_time", f"{segment_s:.6f}", "-var_stream_map", " ".join(variants)]
        argv += ["-hls_segment_filename", f"{OUT}/%v/%05d.ts", f"{OUT}/%v.m3u8"]
        running.run(running.Command(argv=argv, folder=folder, limits=LIMITS), beat=beat)
    variants = [_variant(folder, name, rate, has_audio, tools) for name in names]
    (folder / OUT / MASTER).write_text("\n".join(["#EXTM3U", "#EXT-X-VERSION:3", *variants]) + "\n")


def _variant(folder: Path, name: str, rate: Fraction, has_audio: bool, tools: Tools) -> str:
    """The master's lines for a playlist, whose segments are named as they lie beside it; ffmpeg names neither well."""
    playlist = folder / OUT / f"{name}.m3u8"
    text = _SEGMENT.sub(rf"\1\n{name}/\2", playlist.read_text())
    playlist.write_text(text)
    lengths = [(float(seconds), segment) for seconds, segment in _LENGTH.findall(text)]
    bits = [(folder / OUT / segment).stat().st_size * 8 for _, segment in lengths]
    peak = max(size / max(seconds, 0.5) for (seconds, _), size in zip(lengths, bits, strict=True))
    average = sum(bits) / max(sum(seconds for seconds, _ in lengths), 0.5)
    shown = ["-show_entries", "stream=profile,level,width,height", "-of", "json", f"{name}.mp4"]
    command = running.Command(argv=[tools.ffprobe, "-v", "error", *shown], folder=folder, limits=LIMITS)
    picture = json.loads(running.run(command))["streams"][0]
    codec = f"avc1.{_PROFILES.get(picture['profile'], '6400')}{picture['level']:02x}"
    return (
        f"#EXT-X-STREAM-INF:BANDWIDTH={math.ceil(peak)},AVERAGE-BANDWIDTH={math.ceil(average)},"
        f'CODECS="{codec}{",mp4a.40.2" if has_audio else ""}",RESOLUTION={picture["width"]}x{picture["height"]},'
        f"FRAME-RATE={float(rate):.3f}\n{name}.m3u8"
    )


@contextmanager
def _key(folder: Path, encryption: Encryption) -> Iterator[Sequence[str]]:
    """The option that names the key, which is in files that nobody else reads and that are gone afterwards."""
    if encryption.kid is None or encryption.scheme == "open":
        yield ()
        return
    key, info = folder / KEY, folder / KEY_INFO
    try:
        for path, text in (
            (key, encryption.key),
            (info, f"key:{encryption.kid.hex}\n{KEY}\n{encryption.iv.hex()}\n".encode()),
        ):
            with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(text)
        yield ("-hls_key_info_file", KEY_INFO)
    finally:
        key.unlink(missing_ok=True)
        info.unlink(missing_ok=True)


def segments_of(manifests: Mapping[str, str], name: str) -> Sequence[str]:
    """The files that the playlist of a rendition names, in their order."""
    lines = manifests[f"{name}.m3u8"].splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def decrypt(segments: Sequence[Path], to: Path, encryption: Encryption, *, beat: Callable[[], None]) -> None:
    """One transport stream out of segments, which are encrypted each by itself or open."""
    with to.open("wb") as clear:
        for segment in segments:
            beat()
            with segment.open("rb") as file:
                for block in _opened(iter(lambda: file.read(BLOCK_BYTES), b""), encryption):
                    clear.write(block)


def _opened(blocks: Iterator[bytes], encryption: Encryption) -> Iterator[bytes]:
    if encryption.scheme == "open":
        yield from blocks
        return
    opener: CipherContext = Cipher(algorithms.AES(encryption.key), modes.CBC(encryption.iv)).decryptor()
    last = b""
    for block in blocks:
        clear = last + opener.update(block)
        yield clear[:-16]
        last = clear[-16:]
    padding = last[-1] if last else 0
    if not 1 <= padding <= 16 or last[-padding:] != bytes([padding]) * padding:
        raise EncodeInterrupted("A segment of the former package does not open with its key.")
    yield last[:-padding]
