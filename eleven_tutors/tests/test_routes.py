import pytest

from courses.services.lesson_videos import protection_for, upload_lesson_video
from courses.tests.factories import make_course, make_lesson, make_part
from eleven_tutors.routes import default_routes, stand_ins
from users.tests.factories import make_user
from videos.hosted.models import HostedVideo
from videos.hosted.tests.conftest import hosted_entry
from videos.services.assets import default_alias
from videos.services.errors import InvalidRequest
from videos.services.routing import RouteFacts, find_hosts
from videos.tests.factories import host_video

STAND_IN = {"OPTIONS": {"api_url": "http://127.0.0.1:8001/vdocipher/api"}}
REAL = {"OPTIONS": {"api_url": "https://dev.vdocipher.com/api"}}


def used(*, prefers_own=False, **configured):
    return [
        (route.get("when", {}).get("protection", ""), route["use"])
        for route in default_routes(configured, prefers_own=prefers_own)
    ]


def test_a_stand_in_never_wins_over_our_own_host():
    assert used(hosted={}, vdocipher=STAND_IN, cloudflare=STAND_IN) == [("", ["bunny", "hosted"])]


def test_a_real_drm_host_gets_what_must_have_drm_and_real_hosts_come_before_a_host_of_development():
    assert used(hosted={}, vdocipher=REAL, cloudflare=STAND_IN) == [
        ("drm", ["vdocipher"]),
        ("", ["bunny", "hosted", "vdocipher"]),
    ]
    assert used(hosted={}, cloudflare=REAL)[-1][1][0] == "cloudflare"


def test_our_own_host_comes_first_once_it_has_keys_of_its_own():
    assert used(hosted={}, cloudflare=REAL, prefers_own=True)[-1][1][:2] == ["hosted", "cloudflare"]


def test_without_our_own_host_everything_is_as_it_was():
    both = [("drm", ["vdocipher"]), ("", ["cloudflare", "bunny", "vdocipher"])]
    assert used() == used(vdocipher=STAND_IN) == used(vdocipher=REAL, cloudflare=REAL) == both


@pytest.mark.django_db
def test_a_paid_lesson_s_file_goes_to_our_own_host_and_a_pasted_id_is_still_one_of_the_stand_in(sandbox, settings):
    entry = {
        "BACKEND": "videos.hosted.provider.HostedProvider",
        "OPTIONS": {"store": {}, "key_store": {}, "work_dir": "/nowhere"},
    }
    settings.VIDEO_PROVIDERS = settings.VIDEO_PROVIDERS | {"hosted": entry}
    settings.VIDEO_ROUTES = default_routes(settings.VIDEO_PROVIDERS, prefers_own=False)
    lesson = make_lesson(part=make_part(course=make_course(price_minor=4900)))
    wanted = protection_for(lesson, 1000)
    assert find_hosts(RouteFacts(protection=wanted, size_bytes=1000), flag="supports_upload") == ["hosted"]
    assert default_alias() == "vdocipher"


@pytest.mark.django_db
def test_what_a_stand_in_plays_as_drm_is_replaced_by_a_file_at_our_own_host(sandbox, settings, tmp_path):
    settings.VIDEO_PROVIDERS = settings.VIDEO_PROVIDERS | {"hosted": hosted_entry(tmp_path)}
    settings.VIDEO_ROUTES = default_routes(settings.VIDEO_PROVIDERS, prefers_own=False)
    teacher = make_user()
    video = host_video(sandbox, owner=teacher)
    lesson = make_lesson(part=make_part(course=make_course(price_minor=4900, instructors=[teacher])), video=video)
    file = {"filename": "limits.mp4", "size_bytes": 1000, "content_type": "video/mp4"}
    with pytest.raises(InvalidRequest, match="protection_unavailable"):
        upload_lesson_video(lesson=lesson, actor=teacher, **file)
    by_choice = upload_lesson_video(lesson=lesson, actor=teacher, protection="encrypted", quality="high", **file)[1]
    settings.VIDEO_STAND_INS = stand_ins(settings.VIDEO_PROVIDERS)
    by_itself = upload_lesson_video(lesson=lesson, actor=teacher, **file)[1]
    assert [(asset.provider, asset.protection) for asset in (by_choice, by_itself)] == [("hosted", "encrypted")] * 2
    assert set(HostedVideo.objects.values_list("preset", flat=True)) == {"high"}
