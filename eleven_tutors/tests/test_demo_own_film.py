"""The demo's lesson whose video is at our own host."""

import pytest

from courses.models import Lesson
from courses.tests.factories import make_course, make_lesson, make_part
from eleven_tutors.demo import own_film, seeding
from users.tests.factories import make_user
from videos.hosted.hosts import host
from videos.hosted.models import Transcode
from videos.hosted.tests.conftest import hosted_entry
from videos.models import Video

pytestmark = pytest.mark.django_db


@pytest.fixture
def lesson(settings, tmp_path, monkeypatch):
    settings.VIDEO_PROVIDERS = {"hosted": hosted_entry(tmp_path)}
    monkeypatch.setattr(own_film, "SECONDS", 1)
    course = make_course(instructors=[make_user()], price_minor=4900)
    return make_lesson(part=make_part(course=course), slug=own_film.LESSON, title="Statements")


def test_a_film_is_made_once_encrypted_and_left_to_the_worker(lesson):
    for _ in range(2):
        seeding._fill_from_our_own_host(str)
    video = Video.objects.get()
    assert Lesson.objects.get(slug=own_film.LESSON).video == video
    asset, job = video.assets.get(), Transcode.objects.get()
    assert (asset.provider, asset.protection, job.state, job.preset) == ("hosted", "encrypted", "pending", "low")
    assert host("hosted").get_store().size_of(job.video.source_key) == job.video.source_bytes > 1000


def test_a_machine_without_tools_or_without_our_own_host_gets_none(lesson, settings, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    missing = {"BACKEND": "videos.hosted.encoders.ffmpeg.FfmpegEncoder", "OPTIONS": {"ffmpeg": str(tmp_path / "none")}}
    settings.VIDEO_PROVIDERS = {"hosted": hosted_entry(tmp_path, encoder=missing)}
    seeding._fill_from_our_own_host(str)
    settings.VIDEO_PROVIDERS = {}
    seeding._fill_from_our_own_host(str)
    assert not Video.objects.exists()
