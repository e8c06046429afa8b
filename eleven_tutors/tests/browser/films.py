"""Films on our own host as a browser plays them: several qualities, captions, pictures on the timeline."""

import subprocess
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

from courses.models import Lesson
from courses.tests.factories import make_course, make_lesson
from videos.hosted.models import HostedVideo, Scheme
from videos.hosted.tests.clips import clip
from videos.hosted.tests.making import IV, KEY, KID, make_published_video
from videos.hosted.tests.tools import FFMPEG, PACKAGER
from videos.models import Asset, Video
from videos.services.captions import put_caption

FILM_S = 8.0
CAPTIONS = b"WEBVTT\n\n00:00.000 --> 00:08.000\nA wave rolls in.\n"
SPRITE = {"sprite": "sprite.jpg", "interval_s": 1, "count": 8, "columns": 4, "width": 80, "height": 45}


def film_lesson(**values) -> Lesson:
    """The lesson `waves` of a course that must be bought: an encrypted film of eight seconds, 180 and 90 lines high."""
    _, video = film(access_level="entitled", **values)
    put_caption(video=video, language="en", label="English", body=CAPTIONS)
    return make_lesson(course=make_course(title="The Sea", slug="the-sea"), title="Waves", slug="waves", video=video)


def film(*, scheme: Scheme = Scheme.CBCS, access_level: str = "public", **values) -> tuple[HostedVideo, Video]:
    """A film on our own host; the encrypted one has two qualities and pictures, the others last four seconds."""
    is_ladder = scheme == Scheme.CBCS
    hosted, video = make_published_video(scheme=scheme, folder=ladder() if is_ladder else None, **values)
    if is_ladder:
        package = hosted.package
        package.duration_s, package.pictures = FILM_S, SPRITE
        package.save()
        Asset.objects.filter(video=video).update(duration_s=FILM_S)
    Video.objects.filter(pk=video.pk).update(access_level=access_level, title="Waves")
    video.refresh_from_db()
    return hosted, video


@cache
def ladder() -> Path:
    folder = Path(mkdtemp(prefix="ladder-"))
    clips = {180: clip(seconds=FILM_S), 90: clip(seconds=FILM_S, width=160, height=90, audio=False)}
    label = f"key_id={KID.hex}:key={KEY.hex()}:iv={IV.hex()}"
    flags = folder / "flags.in"
    flags.write_text(f"--enable_raw_key_encryption\n--keys=label=V:{label},label=A:{label}\n")
    streams = [
        f"in={path},stream=video,output={folder}/v{height}.mp4,playlist_name=v{height}.m3u8,drm_label=V"
        for height, path in clips.items()
    ]
    subprocess.run(
        [
            *(PACKAGER, *streams),
            f"in={clips[180]},stream=audio,output={folder}/a.mp4,playlist_name=a.m3u8,hls_group_id=audio,hls_name=Main,"
            "drm_label=A",
            *(f"--flagfile={flags}", "--protection_scheme", "cbcs", "--clear_lead", "0"),
            *("--protection_systems", "CommonSystem,FairPlay", "--hls_key_uri", f"skd://{KID.hex}"),
            *("--segment_duration", "2", "--hls_playlist_type", "VOD", "--quiet"),
            *("--hls_master_playlist_output", f"{folder}/master.m3u8", "--mpd_output", f"{folder}/manifest.mpd"),
        ],
        check=True,
    )
    tiles = "fps=1,scale=80:45,tile=4x2"
    sheet = [FFMPEG, "-nostdin", "-v", "error", "-i", clips[180], "-vf", tiles, "-frames:v", "1", folder / "sprite.jpg"]
    subprocess.run(sheet, check=True)
    return folder
