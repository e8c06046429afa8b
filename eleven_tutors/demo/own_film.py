"""A film for the demo at our own host: made here, so that nothing has to be shipped, and sent through the pipeline."""

import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

from django.db import transaction

from courses.models import Lesson
from eleven_tutors.demo.pictures import course_picture
from eleven_tutors.routes import OWN
from users.models import User
from videos.hosted.encoders.ffmpeg import tools
from videos.hosted.hosts import HostParts, hosts
from videos.hosted.models import Upload
from videos.hosted.services.uploading.arrivals import file_arrived
from videos.hosted.stores.local import LocalStore
from videos.models import Asset, AssetStatus, Protection, Quality, Video
from videos.services.uploads import create_upload

LESSON = "span-and-basis"
SECONDS = 24
_SIZE = "854x480"
_MAKE_LIMIT_S = 30


def find_own_host() -> HostParts | None:
    """Our own host, when its files lie on this machine and this machine can prepare them."""
    parts = hosts().get(OWN)
    if parts is None or not isinstance(parts.get_store(), LocalStore) or not parts.get_encoder().schemes():
        return None
    return parts


def upload_film(parts: HostParts, lesson: Lesson, teacher: User | None) -> Video | None:
    """Give the lesson a film whose preparation a worker begins at once; None where none could be made."""
    if teacher is None:
        return None
    with TemporaryDirectory(prefix="demo-film-", dir=parts.work_path.parent) as folder:
        film = Path(folder, f"{lesson.slug}.mp4")
        if not _make(film, lesson):
            return None
        return _send(parts, film, lesson, teacher)


def _send(parts: HostParts, film: Path, lesson: Lesson, teacher: User) -> Video:
    size = film.stat().st_size
    video, asset, _ = create_upload(
        owner=teacher,
        title=lesson.title,
        filename=film.name,
        size_bytes=size,
        content_type="video/mp4",
        provider_alias=OWN,
        protection=Protection.ENCRYPTED,
        quality=Quality.LOW,
    )
    upload = Upload.objects.get(video__public_id=asset.host_id)
    parts.get_store().put_file(upload.key, film, content_type="video/mp4")
    with transaction.atomic():
        # No teacher waits for the mail that a sample is ready.
        Asset.objects.filter(pk=asset.pk).update(announced_status=AssetStatus.READY)
        lesson.video = video
        lesson.save(update_fields=["video", "updated_at"])
        file_arrived(upload.pk, size=size)
    return video


def _make(film: Path, lesson: Lesson) -> bool:
    """A walk over the course's picture, with a chord that swells; whether ffmpeg could make it."""
    picture = film.with_suffix(".jpg")
    picture.write_bytes(course_picture(lesson.title, lesson.part.course.university.name).read())
    width, height = _SIZE.split("x")
    walk = f"crop={width}:{height}:x='(iw-ow)*(0.5-0.5*cos(PI*t/{SECONDS}))':y='(ih-oh)*t/{SECONDS}'"
    chord = "+".join(f"sin({hertz}*2*PI*t)" for hertz in (220, 277, 330))
    sound = f"aevalsrc='0.05*(1-cos(2*PI*t/6))*({chord})':sample_rate=48000:duration={SECONDS}"
    command = [
        *(tools.find().ffmpeg, "-nostdin", "-v", "error", "-y"),
        *("-loop", "1", "-framerate", "20", "-t", str(SECONDS), "-i", str(picture), "-f", "lavfi", "-i", sound),
        *("-vf", f"scale=960:-2,{walk},format=yuv420p", "-c:v", "libx264", "-preset", "ultrafast", "-crf", "24"),
        *("-c:a", "aac", "-shortest", str(film)),
    ]
    try:
        done = subprocess.run(command, capture_output=True, check=False, timeout=_MAKE_LIMIT_S)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
