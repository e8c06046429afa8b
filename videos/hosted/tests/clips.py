"""Small films made on the spot, each once in a test run."""

import subprocess
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

from videos.hosted.tests.tools import FFMPEG


@cache
def clip(*, seconds: float = 4, width: int = 320, height: int = 180, rate: str = "30", audio: bool = True) -> Path:
    """An H.264 and AAC file of a moving test picture."""
    path = Path(mkdtemp(prefix="clip-"), "clip.mp4")
    sound = ["-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000"] if audio else []
    picture = f"testsrc2=size={width}x{height}:rate={rate}"
    codecs = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "60", "-c:a", "aac"]
    command = [
        FFMPEG,
        "-nostdin",
        "-v",
        "error",
        "-y",
        "-f",
        "lavfi",
        "-i",
        picture,
        *sound,
        "-t",
        str(seconds),
        *codecs,
    ]
    subprocess.run([*command, str(path)], check=True)
    return path
