from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from videos.models import (
    EngagementEvent,
    PlaybackSession,
    RefusedStart,
    SessionState,
    VideoFigures,
    VideoProgress,
    WebhookEvent,
    WebhookRefusal,
)
from videos.services import pruning
from videos.services.pruning import prune
from videos.services.rollup import roll_up
from videos.tests.factories import make_video
from videos.tests.viewings import make_viewing, react

pytestmark = pytest.mark.django_db
OLD = timedelta(days=500)


def test_old_viewings_go_and_what_was_counted_of_them_stays():
    session, recent = make_viewing(created_at=timezone.now() - OLD), make_viewing()
    react(session, "like")
    roll_up()
    assert prune().sessions == 1
    assert PlaybackSession.objects.get() == recent
    assert not EngagementEvent.objects.exists()
    assert VideoFigures.objects.get(video=session.video_id).likes == 1
    assert VideoProgress.objects.count() == 2
    roll_up()
    assert VideoFigures.objects.get(video=session.video_id).views == 1


def test_a_viewing_that_goes_on_stays_however_little_is_to_be_kept():
    now = timezone.now()
    credential = {"expires_at": now - timedelta(minutes=1), "lease_expires_at": now + timedelta(seconds=30)}
    make_viewing(created_at=now - timedelta(minutes=10), state="issued", rollup_due_at=None, **credential)
    old = make_viewing(created_at=now - timedelta(days=3), rollup_due_at=None)
    assert prune(session_days=0).sessions == 1
    assert not PlaybackSession.objects.filter(pk=old.pk).exists()


def test_a_viewing_that_is_not_in_the_figures_yet_or_still_runs_stays():
    began = timezone.now() - OLD
    make_viewing(created_at=began)
    running = make_viewing(created_at=began, state=SessionState.ISSUED, rollup_due_at=None)
    PlaybackSession.objects.filter(pk=running.pk).update(expires_at=timezone.now())
    assert prune().sessions == 0
    PlaybackSession.objects.filter(pk=running.pk).update(expires_at=began)
    assert prune().sessions == 1


def test_old_hooks_and_refusals_go_unless_one_is_unhandled():
    now = timezone.now()
    for key, age, handled_at in (("old", 91, now), ("unhandled", 91, None), ("new", 89, now)):
        moment = now - timedelta(days=age)
        WebhookEvent.objects.create(provider="p", key=key, kind="ready", received_at=moment, handled_at=handled_at)
        RefusedStart.objects.create(video=make_video(), code=key, created_at=moment)
        WebhookRefusal.objects.create(provider="p", day=moment.date(), code=key)
    pruned = prune()
    assert (pruned.webhook_events, pruned.refused_starts, pruned.webhook_refusals) == (1, 2, 2)
    assert set(WebhookEvent.objects.values_list("key", flat=True)) == {"unhandled", "new"}


def test_a_rehearsal_counts_and_deletes_nothing(capsys):
    make_viewing(created_at=timezone.now() - timedelta(days=11), rollup_due_at=None)
    call_command("prune_video_records", "--days", "10", "--dry-run")
    assert "1 sessions would be deleted" in capsys.readouterr().out
    assert PlaybackSession.objects.count() == 1
    call_command("prune_video_records", "--days", "10")
    told = capsys.readouterr().out
    assert "1 sessions ..." in told
    assert "1 sessions deleted" in told
    assert not PlaybackSession.objects.exists()


def test_many_are_deleted_in_batches(monkeypatch):
    monkeypatch.setattr(pruning, "BATCH", 2)
    video = make_video()
    for _ in range(5):
        make_viewing(video=video, created_at=timezone.now() - OLD, rollup_due_at=None)
    told = []
    prune(report=lambda name, count: told.append(count))
    assert told[:3] == [2, 4, 5]
