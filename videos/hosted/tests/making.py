"""Videos on our own host as tests need them, with real encrypted files in the store."""

import re
import shutil
import subprocess
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from uuid import UUID

from django.utils import timezone

from videos.hosted.hosts import host
from videos.hosted.models import ContentKey, HostedVideo, Manifest, Package, PackageState, Scheme
from videos.hosted.tests.clips import clip
from videos.hosted.tests.tools import FFMPEG, PACKAGER
from videos.models import Asset, AssetStatus, Video

TYPES = {".mp4": "video/mp4", ".jpg": "image/jpeg", ".ts": "video/mp2t", ".vtt": "text/vtt"}
KID = UUID("a0a1a2a3-a4a5-46a7-a8a9-aaabacadaeaf")
KEY = bytes(range(16))
IV = bytes(range(16, 32))
SECONDS = 4.0
PICTURES = {
    **{"poster": "poster.jpg", "sprite": "sprite.jpg"},
    **{"interval_s": 1, "columns": 2, "rows": 2, "width": 80, "height": 45, "count": 4},
}


def make_hosted_video(*, alias="hosted", status=AssetStatus.WAITING, title="A film", owner=None, **values):
    """A copy at our host and the video it is a copy of; gives (hosted, video)."""
    hosted = HostedVideo.objects.create(alias=alias, title=title, **values)
    video = Video.objects.create(title=title, owner=owner)
    Asset.objects.create(
        video=video,
        provider=alias,
        host_id=hosted.host_id,
        protection=hosted.protection,
        status=status,
        duration_s=SECONDS if status == AssetStatus.READY else None,
    )
    return hosted, video


def make_published_video(*, scheme=Scheme.CBCS, alias="hosted", kid=KID, folder=None, **values):
    """A video of four seconds whose package is in the store, with its real key; gives (hosted, video).

    All such packages have the key id `KID`; wrapped in the row is `KEY`. A second one in one test needs another `kid`.
    `folder` holds another package of that scheme and key than `packaged()`.
    """
    hosted, video = make_hosted_video(
        alias=alias, status=AssetStatus.READY, protection="open" if scheme == Scheme.OPEN else "encrypted", **values
    )
    package = Package(video=hosted, scheme=scheme, state=PackageState.PUBLISHED, published_at=timezone.now())
    package.duration_s, package.empty_at = SECONDS, None
    if scheme != Scheme.OPEN:
        package.key = make_key(hosted, kid=kid)
    folder = folder or packaged(scheme)
    files = [path for path in sorted(folder.rglob("*")) if path.suffix in TYPES]
    package.renditions = [{"name": "v180", "height": 180, "width": 320, "bandwidth": 500_000, "codecs": "avc1.42c00d"}]
    package.pictures = PICTURES
    package.size_bytes = sum(path.stat().st_size for path in files)
    package.save()
    store = host(alias).get_store()
    for path in files:
        copy = Path(mkdtemp(prefix="put-"), path.name)
        shutil.copyfile(path, copy)
        name = path.relative_to(folder).as_posix()
        store.put_file(package.prefix + name, copy, content_type=TYPES[path.suffix])
    for path in sorted(folder.rglob("*")):
        if path.suffix in (".m3u8", ".mpd"):
            Manifest.objects.create(package=package, name=path.relative_to(folder).as_posix(), body=path.read_text())
    hosted.package = package
    hosted.save(update_fields=["package"])
    return hosted, video


def make_key(hosted, *, version=1, kid=KID, plain=KEY, **values):
    """A content key of known bytes, wrapped by the host's local key store."""
    key = ContentKey(video=hosted, version=version, kid=kid, iv=IV, **values)
    store = host(hosted.alias).get_key_store()
    wrapped = store.wrap(plain, key.context)
    key.wrapped, key.wrapped_by = wrapped.blob, wrapped.wrapped_by
    key.save()
    return key


@cache
def packaged(scheme: str) -> Path:
    """A folder with one package of `clip()`, as the packager writes it."""
    folder = Path(mkdtemp(prefix="packaged-"))
    picture, sound = folder / "picture.in", folder / "sound.in"
    for path, chosen in ((picture, "-an"), (sound, "-vn")):
        subprocess.run([FFMPEG, "-v", "error", "-i", clip(), chosen, "-c", "copy", "-f", "mp4", path], check=True)
    _draw(folder)
    if scheme == Scheme.AES128:
        return _in_transport_stream(folder, picture, sound)
    flags = folder / "flags.in"
    label = f"key_id={KID.hex}:key={KEY.hex()}:iv={IV.hex()}"
    encryption = [f"--flagfile={flags}", "--protection_scheme", "cbcs", "--clear_lead", "0"]
    encryption += ["--protection_systems", "CommonSystem,FairPlay", "--hls_key_uri", f"skd://{KID.hex}"]
    flags.write_text(f"--enable_raw_key_encryption\n--keys=label=V:{label},label=A:{label}\n")
    subprocess.run(
        [
            PACKAGER,
            f"in={picture},stream=video,output={folder}/v180.mp4,playlist_name=v180.m3u8,"
            "iframe_playlist_name=v180-i.m3u8,drm_label=V",
            f"in={sound},stream=audio,output={folder}/a.mp4,playlist_name=a.m3u8,hls_group_id=audio,hls_name=Main,"
            "drm_label=A",
            *(encryption if scheme == Scheme.CBCS else []),
            *("--segment_duration", "2", "--hls_playlist_type", "VOD", "--quiet"),
            *("--hls_master_playlist_output", f"{folder}/master.m3u8", "--mpd_output", f"{folder}/manifest.mpd"),
        ],
        check=True,
    )
    return folder


def _draw(folder: Path) -> None:
    sheet = "fps=1,scale=80:45,tile=2x2"
    outputs = ["-frames:v", "1", folder / "poster.jpg", "-vf", sheet, "-frames:v", "1", folder / "sprite.jpg"]
    subprocess.run([FFMPEG, "-v", "error", "-i", clip(), *outputs], check=True)


def _in_transport_stream(folder: Path, picture: Path, sound: Path) -> Path:
    key, info = folder / "key.in", folder / "keyinfo.in"
    key.write_bytes(KEY)
    info.write_text(f"key:{KID.hex}\n{key}\n{IV.hex()}\n")
    subprocess.run(
        [
            *(FFMPEG, "-v", "error", "-i", picture, "-i", sound, "-map", "0:v", "-map", "1:a", "-c", "copy"),
            *("-f", "hls", "-hls_time", "2", "-hls_playlist_type", "vod", "-hls_key_info_file", info),
            *("-var_stream_map", "v:0,a:0,name:v180", "-master_pl_name", "master.m3u8"),
            *("-hls_segment_filename", f"{folder}/%v/%05d.ts", f"{folder}/%v.m3u8"),
        ],
        check=True,
    )
    playlist = folder / "v180.m3u8"
    playlist.write_text(re.sub(r"^(\d+\.ts)$", r"v180/\1", playlist.read_text(), flags=re.MULTILINE))
    return folder
