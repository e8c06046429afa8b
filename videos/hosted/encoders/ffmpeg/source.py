"""Files of the store under fixed names in a private folder, and the options that keep ffmpeg from reading others."""

from pathlib import Path

from videos.hosted.seams.store import Store

NAME = "source"
PIXELS_MAX = 8192 * 4352
VIDEO_FORMATS = ("mov", "matroska", "avi", "mpegts", "mpeg", "flv", "asf", "ogg")
AUDIO_FORMATS = ("mp3", "wav", "flac", "aac", "aiff")
SAFE = ("-protocol_whitelist", "file,pipe", "-format_whitelist", ",".join(VIDEO_FORMATS + AUDIO_FORMATS))
"""A playlist, a script or a picture that calls itself a film is never opened, nor is what it points to."""
SAFE_INPUT = (*SAFE, "-max_pixels", str(PIXELS_MAX))
QUIET = ("-nostdin", "-hide_banner", "-v", "error", "-y")
PLAIN = ("-map_metadata", "-1", "-map_chapters", "-1", "-sn", "-dn")
"""Nothing of the source's tags goes on: phones write there where a film was made."""


def bring(store: Store, key: str, folder: Path, name: str) -> Path:
    """The file of this key as `folder / name`, without a copy where it lies on this machine; raises FileMissing."""
    path = folder / name
    if local := store.local_path(key):
        path.symlink_to(local.absolute())
    else:
        store.fetch(key, path)
    return path
