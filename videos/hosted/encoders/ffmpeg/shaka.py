"""CMAF, HLS and DASH by shaka-packager: one file per rendition, encrypted `cbcs` or open.

Its traps: `--clear_lead` leaves the first five seconds in the clear unless told otherwise; keys on a command line are
seen by everybody; stream descriptors are cut at commas, so only fixed names go in.
"""

import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from videos.hosted.encoders.ffmpeg import running
from videos.hosted.seams.encoder import EncodeInterrupted, Encryption

OUT = "out"
MASTER, MPD = "master.m3u8", "manifest.mpd"
FLAGS = "flags.txt"
LIMITS = running.Limits(wall_s=6 * 3600, cpu_s=2 * 3600, file_bytes=256 * running.GIB)
_FIRST_SOUND = re.compile(r"^(#EXT-X-MEDIA:TYPE=AUDIO.*)DEFAULT=NO", re.MULTILINE)


def package(
    folder: Path,
    names: Sequence[str],
    *,
    has_audio: bool,
    encryption: Encryption,
    segment_s: float,
    packager: str,
    beat: Callable[[], None],
) -> None:
    """Package `<name>.mp4` (and `a.mp4`) of the folder into its folder `out`; raises EncodeInterrupted."""
    streams = [_picture(name) for name in names] + ([_sound()] if has_audio else [])
    with _keys(folder, "encryption", encryption) as flags:
        argv = [packager, *streams, *flags, "--segment_duration", f"{segment_s:.6f}", "--temp_dir", OUT, "--quiet"]
        argv += ["--hls_playlist_type", "VOD", "--hls_master_playlist_output", f"{OUT}/{MASTER}"]
        _run(folder, [*argv, "--mpd_output", f"{OUT}/{MPD}"], encryption, beat)
    master = folder / OUT / MASTER
    master.write_text(_FIRST_SOUND.sub(r"\1DEFAULT=YES", master.read_text()))


def decrypt(
    folder: Path, names: Sequence[str], *, encryption: Encryption, packager: str, beat: Callable[[], None]
) -> None:
    """`<name>.mp4` out of the encrypted `<name>.former.mp4`; raises EncodeInterrupted."""
    streams = [f"in={name}.former.mp4,stream={'audio' if name == 'a' else 'video'},output={name}.mp4" for name in names]
    with _keys(folder, "decryption", encryption) as flags:
        _run(folder, [packager, *streams, *flags, "--temp_dir", ".", "--quiet"], encryption, beat)


def _picture(name: str) -> str:
    return (
        f"in={name}.mp4,stream=video,output={OUT}/{name}.mp4,playlist_name={name}.m3u8,"
        f"iframe_playlist_name={name}-i.m3u8,drm_label=V"
    )


def _sound() -> str:
    return f"in=a.mp4,stream=audio,output={OUT}/a.mp4,playlist_name=a.m3u8,hls_group_id=audio,hls_name=Main,drm_label=A"


@contextmanager
def _keys(folder: Path, way: str, encryption: Encryption) -> Iterator[Sequence[str]]:
    """The options that name the key, which is in a file that nobody else reads and that is gone afterwards."""
    if encryption.kid is None or encryption.scheme == "open":
        yield ()
        return
    kid, path = encryption.kid.hex, folder / FLAGS
    key = f"key_id={kid}:key={encryption.key.hex()}"
    labels = (
        [f"label={label}:{key}:iv={encryption.iv.hex()}" for label in "VA"]
        if way == "encryption"
        else [f"label=:{key}"]
    )
    try:
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(f"--enable_raw_key_{way}\n--keys={','.join(labels)}\n")
        yield (f"--flagfile={FLAGS}", *(_protection(kid) if way == "encryption" else ()))
    finally:
        path.unlink(missing_ok=True)


def _protection(kid: str) -> Sequence[str]:
    return (
        *("--protection_scheme", "cbcs", "--clear_lead", "0"),
        *("--protection_systems", "CommonSystem,FairPlay", "--hls_key_uri", f"skd://{kid}"),
    )


def _run(folder: Path, argv: Sequence[str], encryption: Encryption, beat: Callable[[], None]) -> None:
    (folder / OUT).mkdir(exist_ok=True)
    command = running.Command(
        argv=argv, folder=folder, limits=LIMITS, secrets=(encryption.key.hex(),) if encryption.key else ()
    )
    try:
        running.run(command, beat=beat)
    except running.ToolFailed as error:
        raise EncodeInterrupted(str(error)) from error
