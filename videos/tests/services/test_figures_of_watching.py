"""From a player's reports to the figures, nothing in between made by hand."""

from datetime import timedelta

import pytest
from django.db.models import F
from django.utils import timezone

from videos.models import PlaybackSession, SessionDoor, VideoDay, VideoFigures
from videos.services.playback import RequestContext, open_session
from videos.services.rollup import roll_up
from videos.services.sessions import heartbeat
from videos.services.statistics import statistics_of
from videos.tests.factories import host_video, make_user

pytestmark = pytest.mark.django_db


def start(user, video, minutes_ago=10):
    session = open_session(
        user=user, video=video, door=SessionDoor.PLAYBACK, device_id="the-device", context=RequestContext()
    ).session
    began = timezone.now() - timedelta(minutes=minutes_ago)
    PlaybackSession.objects.filter(public_id=session.public_id).update(created_at=began)
    return session


def report(session, seq, *played, **more):
    position_s = played[-1][1] if played else 0.0
    heartbeat(
        public_id=session.public_id, token=session.token, seq=seq, position_s=position_s, played=list(played), **more
    )


def roll_up_what_waits():
    PlaybackSession.objects.filter(rollup_due_at__isnull=False).update(
        rollup_due_at=F("rollup_due_at") - timedelta(hours=1)
    )
    return roll_up()


def test_a_viewer_likes_a_video_once_however_often_they_say_so(sandbox):
    video, eager, hostile = host_video(sandbox), make_user(), make_user()
    for seq in (1, 2, 3):
        session = start(eager, video)
        report(session, seq, (0, 5), events=[{"kind": "like"}] * 20)
        report(start(hostile, video), seq, (0, 5), events=[{"kind": "unlike"}] * 20)
        roll_up_what_waits()
        assert VideoFigures.objects.get(video=video).likes == 1
    report(start(eager, video), 1, events=[{"kind": "unlike"}])
    roll_up_what_waits()
    assert VideoFigures.objects.get(video=video).likes == 0
    assert [day.likes for day in VideoDay.objects.filter(video=video)] == [0]


def test_what_players_report_is_what_the_statistics_say(sandbox):
    video, keen, brief, teacher = host_video(sandbox), make_user(), make_user(), make_user(is_staff=True)
    session = start(keen, video)
    report(session, 1, (0, 30), qoe={"startup_ms": 800, "stall_count": 1, "stall_ms": 2000})
    assert roll_up_what_waits() == 1
    report(session, 2, (20, 58), events=[{"kind": "like"}, {"kind": "cta_click", "target": "buy"}])
    report(session, 2, (20, 58), events=[{"kind": "like"}, {"kind": "cta_click", "target": "buy"}])
    report(start(brief, video), 1, (0, 6))
    report(start(teacher, video), 1, (0, 60))
    assert roll_up_what_waits() >= 2
    assert roll_up_what_waits() == 0
    told = statistics_of(type(video).objects.with_current_asset().get(pk=video.pk))
    assert (told.total_views, told.unique_viewers, told.completions, told.completion_rate) == (2, 2, 1, 50.0)
    assert (told.total_watch_time, told.avg_watch_duration) == (74.0, 37.0)
    assert told.avg_completion_percentage == pytest.approx((96.6 + 10) / 2, abs=0.1)
    assert (told.likes, told.cta_clicks, told.avg_startup_ms, told.stall_ms) == (1, 1, 800.0, 2000)
    assert [told.retention[second].plays for second in (0, 10, 25, 40, 59)] == [2.0, 1.0, 2.0, 1.0, 0.0]
