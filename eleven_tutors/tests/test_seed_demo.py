from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from courses.models import Lesson
from eleven_tutors.demo.stand_in_videos import find_stand_in
from users.models import User
from videos.models import Video

pytestmark = pytest.mark.one_database


def seed() -> str:
    told = StringIO()
    call_command("seed_demo", stdout=told)
    return told.getvalue()


@pytest.fixture
def debug(settings):
    settings.DEBUG = True


@pytest.mark.django_db(transaction=True)
def test_it_refuses_to_make_known_passwords_in_production():
    with pytest.raises(CommandError, match="DEBUG"):
        seed()
    assert not User.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_without_a_stand_in_lessons_come_without_videos_until_there_is_one(debug, settings, request):
    settings.VIDEO_PROVIDERS = {}
    assert "without videos" in seed()
    assert Lesson.objects.exists()
    assert not Video.objects.exists()
    request.getfixturevalue("sandbox")
    assert "without videos" not in seed()
    assert not Lesson.objects.filter(video=None).exists()


@pytest.mark.parametrize(
    "address",
    [
        "https://dev.vdocipher.com/api",
        "http://sandbox.example/vdocipher/api",
        "http://127.0.0.1:9/api",
        "http://10.0.0.1/vdocipher/api",
        "",
    ],
)
def test_a_real_account_is_never_filled(settings, address):
    settings.VIDEO_PROVIDERS = {"vdocipher": {"BACKEND": "x", "OPTIONS": {"api_url": address}}}
    assert find_stand_in() is None
