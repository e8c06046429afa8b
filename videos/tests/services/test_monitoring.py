import logging
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from videos.models import AssetStatus, PlaybackSession, SessionDoor, Video, Viewer
from videos.services.monitoring import ask_about_stuck, find_stuck, find_unused, measure_usage
from videos.tests.factories import make_asset, make_video

pytestmark = pytest.mark.django_db


def under_way(sandbox, *, hours, state="inprogress", **overrides):
    """A copy whose file has been at the stand-in for so many hours."""
    values = {
        "provider": "cloudflare",
        "host_id": sandbox.cloudflare.add_video(state=state),
        "status": AssetStatus.PROCESSING,
        "next_poll_at": timezone.now() + timedelta(hours=1),
        "uploaded_at": timezone.now() - timedelta(hours=hours),
    } | overrides
    return make_asset(**values)


def test_what_takes_too_long_is_found_and_nothing_else(sandbox):
    stuck = under_way(sandbox, hours=3)
    under_way(sandbox, hours=1)
    under_way(sandbox, hours=3, status=AssetStatus.READY, next_poll_at=None)
    under_way(sandbox, hours=3, status=AssetStatus.WAITING, uploaded_at=None)
    assert find_stuck() == [stuck]
    assert len(find_stuck(hours=0.5)) == 2


def test_the_hosts_are_asked_first_and_what_is_stuck_all_the_same_is_an_error(sandbox, caplog):
    done = under_way(sandbox, hours=3, state="ready")
    stuck = under_way(sandbox, hours=3)
    assert ask_about_stuck() == [stuck]
    done.refresh_from_db()
    assert done.status == AssetStatus.READY
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


def test_the_command_shows_what_is_stuck_and_ends_with_one(sandbox, capsys):
    call_command("monitor_videos")
    assert "No video is stuck." in capsys.readouterr().out
    asset = under_way(sandbox, hours=3)
    for arguments in (["--dry-run"], []):
        with pytest.raises(SystemExit) as ended:
            call_command("monitor_videos", *arguments)
        assert ended.value.code == 1
        assert asset.host_id in capsys.readouterr().out


def test_a_dry_run_asks_no_host(sandbox):
    under_way(sandbox, hours=3, state="ready")
    with pytest.raises(SystemExit):
        call_command("monitor_videos", "--dry-run")
    assert sandbox.calls("cloudflare") == []


def test_what_plans_hold_is_compared_with_what_is_used(sandbox, settings, caplog, capsys):
    settings.VIDEO_PROVIDERS = {"cloudflare": settings.VIDEO_PROVIDERS["cloudflare"]}
    sandbox.cloudflare.add_video(duration=600)
    settings.VIDEO_PLANS = {"cloudflare": {"stored_minutes": 12}}
    stored = next(item for item in measure_usage().quantities if item.name == "stored_minutes")
    assert (round(stored.used), stored.limit, stored.is_nearly_used_up) == (10, 12, True)
    assert "83 % of stored_minutes" in caplog.text
    with pytest.raises(SystemExit):
        call_command("video_usage")
    assert "stored_minutes" in capsys.readouterr().out
    settings.VIDEO_PLANS = {"cloudflare": {"stored_minutes": 13}}
    call_command("video_usage")
    assert "77%" in capsys.readouterr().out


def test_a_host_that_cannot_say_is_named_and_the_others_are_measured(sandbox, settings, capsys):
    settings.VIDEO_PROVIDERS["vdocipher"] = {
        "BACKEND": "videos.providers.vdocipher.VdoCipherProvider",
        "OPTIONS": {},
    }
    sandbox.cloudflare.add_video(duration=600)
    usage = measure_usage()
    assert ("vdocipher", "host_misconfigured") in usage.failures
    assert "cloudflare" in {item.alias for item in usage.quantities}


def test_ready_videos_that_nobody_started_are_listed_with_their_last_start(db, capsys):
    long_ago = timezone.now() - timedelta(days=200)
    viewer = Viewer.objects.create(device_key="somebody")
    for name, started_days_ago in (("never", None), ("long ago", 100), ("lately", 5)):
        video = make_video(title=name)
        if started_days_ago is not None:
            started = timezone.now() - timedelta(days=started_days_ago)
            PlaybackSession.objects.create(
                viewer=viewer, video=video, door=SessionDoor.PLAYBACK, created_at=started, expires_at=started
            )
    make_video(title="failed", asset={"status": AssetStatus.FAILED})
    Video.objects.update(created_at=long_ago)
    make_video(title="new")
    found = {video.title: video.last_started_at for video in find_unused(days=90)}
    assert set(found) == {"never", "long ago"}
    assert found["never"] is None
    call_command("unused_videos", days=90)
    assert "2 videos have not been started for 90 days." in capsys.readouterr().out
