import json
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from videos.models import AssetStatus, UnusualUse, VideoFigures, WebhookRefusal
from videos.services.metrics import platform_metrics
from videos.services.rollup import roll_up
from videos.tests.factories import make_video
from videos.tests.viewings import make_viewer, make_viewing

pytestmark = pytest.mark.django_db


def test_the_platform_in_figures(capsys):
    now = timezone.now()
    watched, other = make_video(title="Watched"), make_video(asset={"status": AssetStatus.PROCESSING})
    make_video(asset=False)
    make_video(asset={"status": AssetStatus.DELETED})
    for viewer, completed_at in ((make_viewer(), now), (make_viewer(), None)):
        make_viewing(video=watched, viewer=viewer, completed_at=completed_at, startup_ms=700, stall_ms=30_000)
    make_viewing(video=other)
    make_viewing(video=other, created_at=now - timedelta(days=62))
    roll_up()
    for day, count in ((now.date(), 3), (now.date() - timedelta(days=1), 50)):
        WebhookRefusal.objects.create(provider="vdocipher", day=day, code="bad_signature", count=count)
    for day, dismissed_at in ((now.date(), None), (now.date() - timedelta(days=1), now)):
        values = {"kind": "many_devices", "day": day, "figure": 9, "limit": 8, "dismissed_at": dismissed_at}
        UnusualUse.objects.create(viewer=make_viewer(), **values)
    told = platform_metrics()
    assert told["total_videos"] == 3
    states = {"ready": 1, "processing": 1, "missing": 1, "deleted": 1, "waiting": 0, "failed": 0}
    assert told["videos_by_status"] == states
    assert (told["total_views_today"], told["total_views_this_month"]) == (3, 3)
    assert told["avg_completion_rate"] == 25.0
    assert {(top["title"], top["total_views"]) for top in told["top_videos"]} == {("Watched", 2), (other.title, 2)}
    assert (told["avg_startup_ms"], told["stall_percentage"]) == (700.0, 40.0)
    assert (told["refused_hooks_today"], told["open_unusual_uses"]) == (3, 1)
    call_command("video_metrics")
    assert json.loads(capsys.readouterr().out)["total_videos"] == 3


def test_streams_that_are_held_now_are_counted():
    now = timezone.now()
    for held_s, state in ((30, "issued"), (-30, "issued"), (30, "ended")):
        lease_end = now + timedelta(seconds=held_s)
        make_viewing(video=make_video(), created_at=now, user_agent="Firefox", state=state, lease_expires_at=lease_end)
    told = platform_metrics()
    assert told["concurrent_streams"] == 1


def test_uploads_are_judged_by_what_came_of_them():
    now = timezone.now()
    for minutes in (1, 2, 3, 10):
        make_video(asset={"uploaded_at": now - timedelta(minutes=minutes), "ready_at": now})
    make_video(asset={"status": AssetStatus.FAILED})
    make_video(asset={"status": AssetStatus.WAITING})
    told = platform_metrics()
    assert told["upload_success_rate"] == 80.0
    assert (told["processing_p50_s"], told["processing_p90_s"]) == (120.0, 600.0)


def test_a_platform_without_videos_has_metrics_too():
    told = platform_metrics()
    assert told["total_videos"] == told["total_views_today"] == 0
    assert told["upload_success_rate"] is told["avg_completion_rate"] is told["processing_p50_s"] is None
    assert told["top_videos"] == []


def test_the_ten_most_watched_are_told_in_order():
    for views in range(12):
        VideoFigures.objects.create(video=make_video(), views=views)
    assert [top["total_views"] for top in platform_metrics()["top_videos"]] == list(range(11, 1, -1))


def test_metrics_are_kept_for_a_minute_and_read_no_sessions_but_those_of_the_last_day():
    costs = []
    for number in (1, 20):
        for _ in range(number):
            make_viewing()
        roll_up()
        cache.clear()
        with CaptureQueriesContext(connection) as asked:
            platform_metrics()
        on_sessions = [row["sql"] for row in asked.captured_queries if "videos_playbacksession" in row["sql"]]
        assert len(on_sessions) == 1
        assert 'created_at" >' in on_sessions[0]
        costs.append(len(asked))
        with CaptureQueriesContext(connection) as asked:
            platform_metrics()
        assert len(asked) == 0
    assert costs[0] == costs[1] <= 10 + 4, costs
